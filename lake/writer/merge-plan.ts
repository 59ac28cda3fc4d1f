import { HOUR_MS, utcDate } from '../../schemas/time.ts'
import type { DataFile } from '../delta/port.ts'

/** Files of one date that become one. */
export interface Merge {
  readonly date: string
  readonly inputs: readonly DataFile[]
}

/** A file with this many rows is not merged further: sorting more in memory would be felt elsewhere. */
export const MERGE_ROWS_MAX = 500_000
/** On a date that still grows, so many small files are worth a rewrite; each row is rewritten log₈ times. */
export const OPEN_DATE_FILES = 8
/** Merges of one upkeep; the rest waits for the next, so that none takes long. */
export const MERGES_MAX = 64

/**
 * What to merge: on a closed date (over for more than an hour) any two small files, on an open one
 * `OPEN_DATE_FILES` of them. The result of one merge holds at most `MERGE_ROWS_MAX` rows. At most `mergesMax`, the oldest dates first.
 */
export function planMerges(files: Iterable<DataFile>, nowMs: number, mergesMax = MERGES_MAX): Merge[] {
  const openFrom = utcDate(nowMs - HOUR_MS)
  const small = new Map<string, DataFile[]>()
  for (const file of files) {
    if (file.rows >= MERGE_ROWS_MAX / 2) continue
    const date = file.partition.date!
    small.set(date, [...(small.get(date) ?? []), file])
  }
  const merges: Merge[] = []
  for (const [date, candidates] of [...small].sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (candidates.length < (date < openFrom ? 2 : OPEN_DATE_FILES)) continue
    candidates.sort((a, b) => a.rows - b.rows || (a.path < b.path ? -1 : 1))
    for (const inputs of packed(candidates)) if (inputs.length > 1) merges.push({ date, inputs })
  }
  return merges.slice(0, mergesMax)
}

/** `files` in consecutive groups of at most `MERGE_ROWS_MAX` rows. */
function packed(files: readonly DataFile[]): DataFile[][] {
  const groups: DataFile[][] = []
  let rows = Number.POSITIVE_INFINITY
  for (const file of files) {
    if (rows + file.rows > MERGE_ROWS_MAX) {
      groups.push([])
      rows = 0
    }
    groups.at(-1)!.push(file)
    rows += file.rows
  }
  return groups
}
