import { TidemarkError } from '../../schemas/errors.ts'
import type { Clock, Random } from '../../schemas/ports/clock.ts'
import { putUntilClear } from '../store/put-until-clear.ts'
import {
  addAction,
  type Commit,
  commitInfo,
  parseCommit,
  removeAction,
  serialise,
  type Tombstone,
  txnAction,
} from './actions.ts'
import { UNCOMMITTED_MS_MAX } from './cleanup.ts'
import type { Change, Snapshot } from './port.ts'
import { replay, type State } from './replay.ts'
import { schemaString } from './schema-string.ts'
import type { TableLog } from './table-log.ts'

/**
 * How a commit is made. The commit point is one put-if-absent of the next version's file:
 *
 *     newest state ─▶ conflicts with `change`? ─▶ E_CONFLICT
 *          ▲                  │ none
 *          │                  ▼
 *          │          actions as bytes ─▶ put if absent at version + 1 ─▶ true:  it is the new version
 *          └────────────────────────────── false: others were first ┘ └▶ no answer: the same bytes again
 *
 * An attempt without an answer may have had its effect, or have it later. So the same bytes are put at the same version
 * until the store says true, or that the version exists: then its content shows whose it is. Data files of such an
 * attempt are never deleted here; if it failed they are orphans for the clean-up.
 */

/** Races lost in one commit before it gives up: each means that another writer got on. */
const LOST_RACES_MAX = 100

export interface CommitDeps {
  readonly log: TableLog
  readonly clock: Clock
  readonly random: Random
  /** The newest state: every commit that returned before the call is in it. */
  newest(): Promise<State | null>
}

/** See `Table.commit`. */
export async function commitChange(deps: CommitDeps, base: Snapshot, change: Change): Promise<State> {
  const { log } = deps
  for (let lost = 0; lost <= LOST_RACES_MAX; lost++) {
    const state = await deps.newest()
    if (state !== null && !isSameTable(state, base))
      throw new TidemarkError('E_CONFLICT', `${log.name}: another table was begun in its place`)
    if (state === null || state.version < base.version) {
      throw new TidemarkError('E_TABLE_DAMAGED', `version ${base.version} of ${log.name} has vanished`)
    }
    const conflict = conflictOf(state, base, change)
    const late = conflict ?? (await lateFile(deps, state, change))
    if (late !== null) throw new TidemarkError('E_CONFLICT', `${log.name}: ${late}`)
    const made = await putVersion(deps, state.version + 1, actionsOf(deps, state, change))
    if (made !== null) return replay(log.name, state, [made])
  }
  throw new TidemarkError(
    'E_CONFLICT',
    `${log.name}: ${LOST_RACES_MAX} others were first, one after the other`,
  )
}

/** Whether a snapshot, which is a state too, is one of the table that stands there now: versions of another have the same numbers. */
function isSameTable(state: State, base: Snapshot | State): boolean {
  return !('metaData' in base) || base.metaData.id === state.metaData.id
}

/** Why `change`, made on top of `base`, cannot follow `state`; null when it can. */
export function conflictOf(state: State, base: Snapshot, change: Change): string | null {
  for (const [appId, { version }] of Object.entries(change.txns ?? {})) {
    const setAt = state.txnSetAt.get(appId) ?? -1
    if (setAt > base.version) return `another writer set ${appId} in version ${setAt} or before`
    const before = state.txns.get(appId)?.version ?? Number.NEGATIVE_INFINITY
    if (version < before) return `${appId} would go back from ${before} to ${version}`
  }
  for (const path of change.remove ?? []) {
    if (!state.files.has(path)) return `${path} is removed already`
  }
  if (state.metaDataSetAt > base.version) {
    if (change.schema) return `another writer set the columns in version ${state.metaDataSetAt}`
    if (change.configuration) return `another writer set the configuration in version ${state.metaDataSetAt}`
    const sameSchema = JSON.stringify(state.schema) === JSON.stringify(base.schema)
    if (!sameSchema) return `another writer changed the columns in version ${state.metaDataSetAt}`
  }
  return null
}

/**
 * Which new file a clean-up may have removed, because it waited for its commit while the table went on; null when none. Where
 * the clock was set back meanwhile, ages tell nothing: there it is looked whether the file is still there.
 */
async function lateFile({ log, clock }: CommitDeps, state: State, change: Change): Promise<string | null> {
  for (const { path, modifiedMs } of change.add ?? []) {
    if (state.timeMs - modifiedMs <= UNCOMMITTED_MS_MAX || state.files.has(path)) continue
    const key = `${log.name}/${path}`
    const isOld = clock.nowMs() - modifiedMs > UNCOMMITTED_MS_MAX
    if (isOld || (await log.store.get(key)) === null) return `${path} was written too long ago`
  }
  return null
}

function actionsOf({ clock, random }: CommitDeps, state: State, change: Change): Uint8Array {
  const timeMs = Math.max(clock.nowMs(), state.timeMs + 1)
  const { dataChange } = change
  const actions = [commitInfo(timeMs, random.hex(16), change.operation, change.info)]
  if (change.configuration || change.schema) {
    const { configuration = state.metaData.configuration, schema } = change
    const columns = schema === undefined ? {} : { schemaString: schemaString(schema) }
    actions.push({ metaData: { ...state.metaData, configuration, ...columns } })
  }
  for (const [appId, txn] of Object.entries(change.txns ?? {})) actions.push(txnAction(appId, txn))
  for (const path of new Set(change.remove)) {
    const { size, partition } = state.files.get(path)!
    const tombstone: Tombstone = { path, deletedMs: timeMs, dataChange, size, partition }
    actions.push(removeAction(tombstone))
  }
  for (const file of change.add ?? []) actions.push(addAction(file, dataChange))
  return serialise(actions)
}

/** Makes `bytes` the commit of `version`: what they say, as every reader will see it; null when another was first. */
export async function putVersion(
  { log, clock }: Pick<CommitDeps, 'log' | 'clock'>,
  version: number,
  bytes: Uint8Array,
): Promise<Commit | null> {
  const key = log.commitKey(version)
  if (!(await putUntilClear(log.store, clock, key, bytes))) return null
  log.known.note(version, bytes)
  return parseCommit(key, version, bytes)
}
