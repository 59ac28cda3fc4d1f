import { readFileSync, writeFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import type { DatabaseSync } from 'node:sqlite'
import { TidemarkError } from '../../schemas/errors.ts'
import { diskError } from './disk-error.ts'

/**
 * An exclusive SQLite transaction that is never written to: its file lock ends with the process, however it ends, and
 * holds on every file system that SQLite supports. The holder's name stands in a file beside it.
 *
 * It is Node's own SQLite, so that an agent needs no package for it.
 */
export async function lockFile(path: string, holder: string): Promise<{ release(): Promise<void> }> {
  let db: DatabaseSync | null = null
  try {
    db = new (sqlite()!.DatabaseSync)(path, { timeout: 0 })
    // Its rollback journal in memory: on a full disk there is no room even for that.
    db.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE')
    noteHolder(path, holder)
  } catch (error) {
    db?.close()
    if (isSqlite(error, BUSY)) throw lockedError(path)
    if (!isSqlite(error, NOT_A_DATABASE)) throw diskError(path, error)
    // Nothing is ever written to it: what stands there was not written by Tidemark.
    throw new TidemarkError('E_DISK', `${path} is damaged`, {
      hint: 'delete it; nothing else is in it than the lock',
      cause: error,
    })
  }
  const held = db
  return {
    release: async () => {
      await rm(`${path}.holder`, { force: true })
      held.close()
    },
  }
}

/** Whether this Node has SQLite: since 22.13. */
export function hasSqlite(): boolean {
  return sqlite() !== undefined
}

/** Says which process holds the lock, as far as it is known. */
export function lockedError(path: string): TidemarkError {
  return new TidemarkError('E_LOCKED', `${path} is held by ${holderOf(path)}`)
}

/** SQLITE_BUSY; what stands above the lowest byte only says why. */
const BUSY = 5
const NOT_A_DATABASE = 26

function isSqlite(error: unknown, code: number): boolean {
  const { errcode } = error as { errcode?: number }
  return errcode !== undefined && (errcode & 0xff) === code
}

/** For the process that comes second; the lock holds without it, as on a full disk. */
export function noteHolder(path: string, holder: string): void {
  try {
    writeFileSync(`${path}.holder`, holder)
  } catch {
    // It is `another process` then.
  }
}

function holderOf(path: string): string {
  try {
    return readFileSync(`${path}.holder`, 'utf8') || 'another process'
  } catch {
    return 'another process'
  }
}

/**
 * Returns Node's SQLite; undefined where there is none. Node 22 warns that this module is an experiment. What is used of it has
 * not changed since, so that warning goes unsaid.
 */
function sqlite(): typeof import('node:sqlite') | undefined {
  const { emitWarning } = process
  process.emitWarning = ((warning: string | Error, ...rest: []) => {
    if (!String(warning).startsWith('SQLite is an experimental feature'))
      emitWarning.call(process, warning, ...rest)
  }) as typeof process.emitWarning
  try {
    return process.getBuiltinModule?.('node:sqlite')
  } finally {
    process.emitWarning = emitWarning
  }
}
