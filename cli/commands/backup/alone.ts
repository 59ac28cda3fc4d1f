import { hostname } from 'node:os'
import { type Lease, takeLease } from '../../../lake/lease.ts'
import { newestEntry } from '../../../lake/lease-log.ts'
import type { ObjectStore } from '../../../lake/store/port.ts'
import { isError, TidemarkError } from '../../../schemas/errors.ts'
import type { Clock, Random } from '../../../schemas/ports/clock.ts'
import { isRunning } from '../../host/running.ts'

/**
 * Makes this process the only one that backs up into `store`, by a lease as the owner of a lake has: another that keeps the newest few
 * alone could remove what this one counts on. What a process of this machine left that was killed is taken over at once. Throws
 * `E_BACKUP`, which names the other.
 */
export async function aloneAt(
  store: ObjectStore,
  deps: {
    clock: Clock
    random: Random
    signal: AbortSignal
    lost(error: TidemarkError): void
    logLine(line: string): void
  },
): Promise<Lease> {
  const host = hostname()
  const owner = `backup ${process.pid} ${deps.random.hex(8)}@${host}`
  const left = (await newestEntry(store))?.entry ?? null
  const config = {
    owner: isLeft(left?.owner, host) ? left!.owner : owner,
    holder: `tidemark backup, process ${process.pid}`,
    host,
    what: "backup's place",
  }
  try {
    return await takeLease(config, { store, ...deps })
  } catch (error) {
    if (!isError(error, 'E_LAKE_OWNED')) throw error
    throw new TidemarkError('E_BACKUP', error.message, {
      hint: 'wait until it is over; what was killed is taken over within two minutes',
      cause: error,
    })
  }
}

/** Whether a process of this machine that is no more left the lease. */
function isLeft(owner: string | undefined, host: string): boolean {
  const pid = owner?.endsWith(`@${host}`) ? /^backup (\d+) /.exec(owner)?.[1] : undefined
  return pid !== undefined && !isRunning(Number(pid))
}
