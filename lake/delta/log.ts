import { isError, TidemarkError } from '../../schemas/errors.ts'
import type { ObjectStore } from '../store/port.ts'
import { type Commit, parseCommit } from './actions.ts'
import { decodeCheckpoint } from './checkpoint.ts'
import { checkpointKey, commitKey, logPrefix, parseLogKey } from './names.ts'
import { applyCommit, type TableState } from './replay.ts'

/** A table's log as the store lists it: versions ascending. */
export interface LogListing {
  readonly commits: readonly number[]
  readonly checkpoints: readonly number[]
}

export async function listLog(store: ObjectStore, table: string, afterVersion?: number): Promise<LogListing> {
  const after = afterVersion === undefined ? undefined : commitKey(table, afterVersion)
  const commits: number[] = []
  const checkpoints: number[] = []
  for (const { key } of await store.list(logPrefix(table), after)) {
    const parsed = parseLogKey(key)
    if (parsed?.kind === 'commit') commits.push(parsed.version)
    else if (parsed?.kind === 'checkpoint') checkpoints.push(parsed.version)
  }
  return { commits, checkpoints }
}

/** The commit of `version`, null when there is none. */
export async function readCommit(store: ObjectStore, table: string, version: number): Promise<Commit | null> {
  const key = commitKey(table, version)
  const bytes = await store.get(key)
  return bytes === null ? null : parseCommit(version, bytes, key)
}

/**
 * The table at `upTo`, or at its newest version: the newest checkpoint that can be read, and the commits after it. A
 * damaged checkpoint is passed over while older ones, or the first commit, are still there. Null when there is no table.
 */
export async function loadState(
  store: ObjectStore,
  table: string,
  upTo: number = Number.POSITIVE_INFINITY,
): Promise<TableState | null> {
  const { commits, checkpoints } = await listLog(store, table)
  if (commits.length === 0 && checkpoints.length === 0) return null
  let damage: unknown = null
  for (const version of checkpoints.filter((one) => one <= upTo).reverse()) {
    try {
      const state = await readCheckpoint(store, table, version)
      return await replay(
        store,
        table,
        state,
        commits.filter((one) => one > version && one <= upTo),
      )
    } catch (error) {
      if (!isError(error, 'E_TABLE_DAMAGED')) throw error
      damage ??= error
    }
  }
  if (damage !== null && commits[0] !== 0) throw damage
  return replay(
    store,
    table,
    null,
    commits.filter((one) => one <= upTo),
  )
}

async function readCheckpoint(store: ObjectStore, table: string, version: number): Promise<TableState> {
  const key = checkpointKey(table, version)
  const bytes = await store.get(key)
  if (bytes === null) throw new TidemarkError('E_TABLE_DAMAGED', `${key} is missing`)
  const commit = await readCommit(store, table, version)
  return decodeCheckpoint(version, commit?.timeMs ?? 0, bytes, key)
}

async function replay(
  store: ObjectStore,
  table: string,
  from: TableState | null,
  versions: readonly number[],
) {
  let state = from
  for (const version of versions) {
    const next = state === null ? 0 : state.version + 1
    const commit = version === next ? await readCommit(store, table, version) : null
    if (commit === null) throw new TidemarkError('E_TABLE_DAMAGED', `${commitKey(table, next)} is missing`)
    state = applyCommit(state, commit)
  }
  return state as TableState
}

/** The oldest version that can be read: the first commit, or the oldest checkpoint that commits follow. */
export function oldestReadable({ commits, checkpoints }: LogListing): number | null {
  if (commits[0] === 0) return 0
  return checkpoints[0] ?? null
}
