import { spawnSync } from 'node:child_process'
import { closeSync, constants, openSync } from 'node:fs'
import { diskError } from './disk-error.ts'

/** The program that calls flock(2), from util-linux or BusyBox. */
const PROGRAM = 'flock'
/** Its longest run: it does not wait for a lock. */
const PROGRAM_MS_MAX = 5_000
/** What `flock -n` exits with where another holds the lock. */
const HELD = 1
/** Opening with it locks as flock(2) does: fcntl.h of macOS, which has no such program. */
const O_EXLOCK = 0x20

/** A lock that is held; `held` where another process, or this one, has it; `none` where the machine cannot lock so. */
export type Flocked = { release(): void } | 'held' | 'none'

/**
 * Locks the file `path` as flock(2) does, for any Node: it ends with the process, however it ends, and is seen from other
 * containers. Node has no call for it. But the lock belongs to the open file, not to the process that asked for it: the
 * program `flock`, started with the file open, locks it for this process. Throws `E_DISK`.
 */
export function flockFile(path: string, program = PROGRAM): Flocked {
  if (process.platform === 'darwin') return lockByOpening(path)
  const fd = opened(path, constants.O_RDWR | constants.O_CREAT)
  const { status, error } = spawnSync(program, ['-n', '3'], {
    stdio: ['ignore', 'ignore', 'ignore', fd],
    timeout: PROGRAM_MS_MAX,
  })
  if (error === undefined && status === 0) return { release: () => closeSync(fd) }
  closeSync(fd)
  return error === undefined && status === HELD ? 'held' : 'none'
}

function lockByOpening(path: string): Flocked {
  try {
    const fd = openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_NONBLOCK | O_EXLOCK, 0o666)
    return { release: () => closeSync(fd) }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return 'held'
    throw diskError(path, error)
  }
}

function opened(path: string, flags: number): number {
  try {
    return openSync(path, flags, 0o666)
  } catch (error) {
    throw diskError(path, error)
  }
}
