import type { ObjectStore } from '../store/port.ts'
import { encodeCheckpoint } from './checkpoint.ts'
import { listLog, readCommit } from './log.ts'
import { checkpointKey, commitKey, lastCheckpointKey, logPrefix } from './names.ts'
import type { TableState } from './replay.ts'

/** Commits between two checkpoints. */
export const CHECKPOINT_EVERY = 20

/**
 * Writes a checkpoint when so many commits passed since the last. The order makes it safe to die anywhere: the file, then
 * the hint that names it; the commits stay until the clean-up.
 */
export async function writeCheckpoint(
  store: ObjectStore,
  table: string,
  state: TableState,
  keepTombstonesFromMs: number,
): Promise<void> {
  const { bytes, size } = encodeCheckpoint(state, keepTombstonesFromMs)
  await store.put(checkpointKey(table, state.version), bytes)
  const hint = JSON.stringify({ version: state.version, size })
  await store.put(lastCheckpointKey(table), new TextEncoder().encode(hint))
}

/**
 * Removes commits and checkpoints before the newest checkpoint that was committed at or before `cutOffMs`: every version
 * since then stays readable. Oldest first, so that what remains after a crash is still one unbroken log.
 */
export async function cleanLog(store: ObjectStore, table: string, cutOffMs: number): Promise<void> {
  const { commits, checkpoints } = await listLog(store, table)
  for (const keep of [...checkpoints].reverse()) {
    const commit = await readCommit(store, table, keep)
    if (commit === null || commit.timeMs > cutOffMs) continue
    for (const version of commits) if (version < keep) await store.delete(commitKey(table, version))
    for (const version of checkpoints) if (version < keep) await store.delete(checkpointKey(table, version))
    return
  }
}

/**
 * Deletes data files that are older than `cutOffMs` and that no version since then names: superseded ones, and what
 * writers that died or lost a race left behind. `state` is the newest version.
 */
export async function vacuum(
  store: ObjectStore,
  table: string,
  state: TableState,
  cutOffMs: number,
): Promise<void> {
  for (const { key, modifiedMs } of await store.list(`${table}/`)) {
    if (key.startsWith(logPrefix(table)) || modifiedMs > cutOffMs) continue
    const path = key.slice(table.length + 1)
    if (state.files.has(path)) continue
    const deletedMs = state.tombstones.get(path)?.deletedMs
    if (deletedMs !== undefined && deletedMs > cutOffMs) continue
    await store.delete(key)
  }
}
