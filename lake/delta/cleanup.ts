import { HOUR_MS } from '../../schemas/time.ts'
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
 *            (a writer may be about to commit them); all others go, whatever left them
 *
 * Ages are what the clock and the newest version's time both say: a clock that jumps makes nothing old before the table
 * itself went on. And a commit refuses files that waited for more than `UNCOMMITTED_MS_MAX` while others went on
 * (commit.ts), so that what no version names and is older than that is not named later either.
 */

/** Longest time by which the table may have gone on between the writing of a file and its commit. */
export const UNCOMMITTED_MS_MAX = 4 * HOUR_MS
/** A vacuum by hand keeps what was in use within so long, unless it is forced: runs and queries read the version they began with. */
export const SAFE_RETENTION_MS = 4 * HOUR_MS
/** A file that no version names is kept for so long at least; half of it is for clocks of writers that differ. */
const UNNAMED_KEPT_MS = 2 * UNCOMMITTED_MS_MAX

/** The times at or before which things go: `unnamedMs` for files that no version names, `olderMs` for all else. */
export interface Cutoffs {
  readonly olderMs: number
  readonly unnamedMs: number
}

/** What is older than `retentionMs` at `nowMs`, in a table whose newest version is of `newestMs`. */
export function cutoffs(nowMs: number, newestMs: number, retentionMs: number): Cutoffs {
  const timeMs = Math.min(nowMs, newestMs)
  return { olderMs: timeMs - retentionMs, unnamedMs: timeMs - Math.max(retentionMs, UNNAMED_KEPT_MS) }
}

/** Removes log entries before the newest readable checkpoint that was made at or before `cutoffMs`. */
export async function cleanLog(log: TableLog, listing: Listing, cutoffMs: number): Promise<void> {
  const { keepFrom, keys } = await oldEntries(log, listing, cutoffMs)
  if (keepFrom === null || keys.length === 0) return
  // From here on the table stands on this checkpoint alone: it must be whole, and readers must be led past the rest.
  const checkpoint = await log.readCheckpoint(keepFrom)
  if (checkpoint === null) return
  if ((await lastCheckpoint(log)) < keepFrom) await nameLastCheckpoint(log, keepFrom, checkpoint.actions)
  for (const key of keys) await log.store.delete(key)
}

/** The log entries that `cleanLog` removes, oldest first, and the checkpoint that the table then stands on. */
export async function oldEntries(
  log: TableLog,
  listing: Listing,
  cutoffMs: number,
): Promise<{ readonly keepFrom: number | null; readonly keys: readonly string[] }> {
  const keepFrom = await lastAtOrBefore(log, listing.checkpoints, cutoffMs)
  return { keepFrom, keys: keepFrom === null ? [] : entriesBefore(log, listing, keepFrom) }
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
  cutoff: Cutoffs,
): Promise<void> {
  await deleteAll(log, unneeded(`${log.name}/`, objects, state, cutoff))
}

/** Removes what was replaced before the cut-off by its name, whatever a list shows. */
export async function cleanTombstones(log: TableLog, state: State, { olderMs }: Cutoffs): Promise<void> {
  const old = [...state.tombstones.values()].filter(({ deletedMs }) => deletedMs <= olderMs)
  await deleteAll(
    log,
    old.map(({ path }) => `${log.name}/${path}`),
  )
}

async function deleteAll(log: TableLog, keys: readonly string[]): Promise<void> {
  for (let i = 0; i < keys.length; i += READS_AT_ONCE) {
    await Promise.all(keys.slice(i, i + READS_AT_ONCE).map((key) => log.store.delete(key)))
  }
}

/** Keys of the data files below `folder` that no version in use after the cut-off names and that are older than theirs. */
export function unneeded(
  folder: string,
  objects: readonly StoredObject[],
  state: Pick<State, 'files' | 'tombstones'>,
  { olderMs, unnamedMs }: Cutoffs,
): string[] {
  return objects
    .filter(({ key, modifiedMs }) => {
      const path = key.slice(folder.length)
      if (!isDataFile(path) || state.files.has(path)) return false
      const deletedMs = state.tombstones.get(path)?.deletedMs
      return deletedMs === undefined ? modifiedMs <= unnamedMs : Math.max(deletedMs, modifiedMs) <= olderMs
    })
    .map(({ key }) => key)
}

/** Data files end with `.parquet`; names with `_` or a dot in front are not data, by convention of all readers. */
function isDataFile(path: string): boolean {
  return path.endsWith('.parquet') && !path.split('/').some((part) => /^[_.]/.test(part))
}
