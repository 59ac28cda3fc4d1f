import type { StoredObject } from '../store/port.ts'
import { lastCheckpoint, nameLastCheckpoint } from './checkpoint.ts'
import type { State } from './replay.ts'
import { type Listing, lastAtOrBefore, READS_AT_ONCE, type TableLog } from './table-log.ts'

/**
 * What may go, and when. Both kinds of clean-up delete only what no version within the retention needs, in an order that
 * leaves a whole table wherever they are stopped:
 *
 *     log    kept from the newest checkpoint at or before the cut-off; older entries go oldest first
 *     files  kept while the newest version names them, a version within the retention did, or they are young
 *            (a writer may be about to commit them); all others go, whoever left them
 */

/** Removes log entries before the newest readable checkpoint that was made at or before `cutoffMs`. */
export async function cleanLog(log: TableLog, listing: Listing, cutoffMs: number): Promise<void> {
  const keepFrom = await lastAtOrBefore(log, listing.checkpoints, cutoffMs)
  if (keepFrom === null) return
  const keys = entriesBefore(log, listing, keepFrom)
  if (keys.length === 0) return
  // From here on the table stands on this checkpoint alone: it must be whole, and readers must be led past the rest.
  const checkpoint = await log.readCheckpoint(keepFrom)
  if (checkpoint === null) return
  if ((await lastCheckpoint(log)) < keepFrom) await nameLastCheckpoint(log, keepFrom, checkpoint.actions)
  for (const key of keys) await log.store.delete(key)
}

/** Keys of the entries of versions before `keepFrom`, oldest first. */
export function entriesBefore(log: TableLog, listing: Listing, keepFrom: number): string[] {
  return [
    ...listing.commits.map((version) => log.commitKey(version)),
    ...listing.checkpoints.map((version) => log.checkpointKey(version)),
  ]
    .filter((key) => key < log.checkpointKey(keepFrom))
    .sort()
}

/** Removes the data files among `objects` that `unneeded` names. */
export async function cleanFiles(
  log: TableLog,
  objects: readonly StoredObject[],
  state: State,
  cutoffMs: number,
): Promise<void> {
  const keys = unneeded(`${log.name}/`, objects, state, cutoffMs)
  for (let i = 0; i < keys.length; i += READS_AT_ONCE) {
    await Promise.all(keys.slice(i, i + READS_AT_ONCE).map((key) => log.store.delete(key)))
  }
}

/** Keys of the data files below `folder` that no version in use after `cutoffMs` names and that are older than it. */
export function unneeded(
  folder: string,
  objects: readonly StoredObject[],
  state: Pick<State, 'files' | 'tombstones'>,
  cutoffMs: number,
): string[] {
  return objects
    .filter(({ key, modifiedMs }) => {
      const path = key.slice(folder.length)
      if (!isDataFile(path) || modifiedMs > cutoffMs || state.files.has(path)) return false
      return (state.tombstones.get(path)?.deletedMs ?? Number.NEGATIVE_INFINITY) <= cutoffMs
    })
    .map(({ key }) => key)
}

/** Data files end with `.parquet`; names with `_` or a dot in front are not data, by convention of all readers. */
function isDataFile(path: string): boolean {
  return path.endsWith('.parquet') && !path.split('/').some((part) => /^[_.]/.test(part))
}
