import { encodeCheckpoint } from './checkpoint-file.ts'
import { forgetTombstones, type State } from './replay.ts'
import type { Listing, TableLog } from './table-log.ts'

/** Versions between two checkpoints: what a start replays at most, when upkeep is done in time. */
const VERSIONS_PER_CHECKPOINT = 20

/** Whether `state` should get a checkpoint, given those there are. */
export function isCheckpointDue(state: State, { checkpoints }: Pick<Listing, 'checkpoints'>): boolean {
  return state.version - (checkpoints.at(-1) ?? 0) >= VERSIONS_PER_CHECKPOINT
}

/**
 * Writes the checkpoint of `state`, without tombstones of files removed at or before `forgetMs`, then names it as the
 * last. A reader that finds the first without the second only replays more.
 */
export async function writeCheckpoint(log: TableLog, state: State, forgetMs: number): Promise<void> {
  const { bytes, actions } = encodeCheckpoint(forgetTombstones(state, forgetMs))
  await log.store.put(log.checkpointKey(state.version), bytes)
  await nameLastCheckpoint(log, state.version, actions)
}

/** Makes `_last_checkpoint` name `version` unless it names a newer one. */
export async function nameLastCheckpoint(log: TableLog, version: number, actions: number): Promise<void> {
  if ((await lastCheckpoint(log)) >= version) return
  const json = JSON.stringify({ version, size: actions })
  await log.store.put(log.lastCheckpointKey, new TextEncoder().encode(json))
}

/** What `_last_checkpoint` names; −1 when it is missing or cannot be read: it is only a hint. */
export async function lastCheckpoint(log: TableLog): Promise<number> {
  const bytes = await log.store.get(log.lastCheckpointKey)
  if (bytes === null) return -1
  try {
    const { version } = JSON.parse(new TextDecoder().decode(bytes)) as { version: unknown }
    return Number.isSafeInteger(version) ? (version as number) : -1
  } catch {
    return -1
  }
}
