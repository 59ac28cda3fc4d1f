import { rm } from 'node:fs/promises'
import { TidemarkError } from '../../../schemas/errors.ts'
import { flockFile } from '../../host/flock.ts'
import { hasSqlite, lockedError, lockFile, noteHolder } from '../../host/lock.ts'

export interface SpoolLockOptions {
  /** Whether Node's SQLite is to be used; by default where it is there. */
  readonly sqlite?: boolean
  /** The program that locks. */
  readonly program?: string
}

/**
 * Locks a spool against agents of any Node, as `Disk.lock` does. Those before 22.13 have no SQLite and need flock(2); where the
 * machine cannot do that only newer ones run, which all lock by SQLite. So both are taken, as far as they are there. Throws
 * `E_LOCKED`, `E_DISK`.
 */
export async function lockSpool(
  path: string,
  holder: string,
  { sqlite = hasSqlite(), program }: SpoolLockOptions = {},
): Promise<{ release(): Promise<void> }> {
  const flocked = flockFile(`${path}.flock`, program)
  if (flocked === 'held') throw lockedError(path)
  if (flocked === 'none') {
    if (sqlite) return lockFile(path, holder)
    const reason = `${path} cannot be locked: Node ${process.version} needs the program flock (util-linux) for it`
    throw new TidemarkError('E_DISK', reason)
  }
  try {
    if (!sqlite) noteHolder(path, holder)
    const locked = sqlite ? await lockFile(path, holder) : null
    return {
      async release() {
        if (locked === null) await rm(`${path}.holder`, { force: true })
        else await locked.release()
        flocked.release()
      },
    }
  } catch (error) {
    flocked.release()
    throw error
  }
}
