import { hostname } from 'node:os'
import { join } from 'node:path'
import { type Lease, takeLease } from '../../lake/lease.ts'
import type { ObjectStore } from '../../lake/store/port.ts'
import type { Random } from '../../schemas/ports/clock.ts'
import type { Disk } from '../../schemas/ports/disk.ts'
import { replaceFile } from '../host/replace-file.ts'
import type { OwnerHost } from './host.ts'

/**
 * Makes this process the owner of the lake in `store`. Its data directory is known to the lake by an id that it keeps, so that
 * a process that was killed follows itself at once. The machine's name belongs to the id: a copy of the directory elsewhere
 * is another owner. Throws `E_LAKE_OWNED`, which names the owner.
 */
export async function ownLake(
  store: ObjectStore,
  { dataDir, holder }: { dataDir: string; holder: string },
  { disk, clock, random, logLine, signal, failed }: OwnerHost,
): Promise<Lease> {
  const host = hostname()
  const owner = `${await ownerId(disk, dataDir, random)}@${host}`
  return takeLease(
    { owner, holder, host },
    { store, clock, random, logLine, lost: (error) => failed?.(error), ...(signal && { signal }) },
  )
}

/** The id of a data directory, made when it has none. */
async function ownerId(disk: Disk, dataDir: string, random: Random): Promise<string> {
  const path = join(dataDir, 'owner')
  const bytes = await disk.readFile(path)
  const kept = bytes === null ? '' : new TextDecoder().decode(bytes).trim()
  if (/^[0-9a-f]{32}$/.test(kept)) return kept
  const id = random.hex(16)
  await replaceFile(disk, path, `${id}\n`)
  return id
}
