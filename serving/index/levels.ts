import { WHOLE } from '../../schemas/cell-rows.ts'
import { bucketStart, DAY_MS, HOUR_MS, nextBucketStart } from '../../schemas/time.ts'

/**
 * Cells are kept at three levels, so that a long range reads few of them: the view's minutes, and hours and days derived
 * from them. A range is answered by the coarsest buckets that lie wholly within it:
 *
 *     from ├ minutes ┤├ hours ┤├──── days ────┤├ hours ┤├ minutes ┤ to
 */
export type Level = 0 | 1 | 2

export interface LevelRange {
  readonly level: Level
  readonly fromMs: number
  readonly toMs: number
}

/** The days of all keys of a date side by side, for questions about many, lie at a level of their own. */
export const DAYS_OF_ALL = 3

/** The minutes and hours of so many keys lie side by side: few, since a question about one of them reads those of all. */
export const KEYS_A_BLOCK = 8

/** Minutes lie in parts of a date of this length, since most questions need a few at both ends. */
export const SLICE_MS = 3 * HOUR_MS
export const SLICES = DAY_MS / SLICE_MS

/** Lengths of the buckets of each level; minutes are taken as they are. */
export const BUCKET_MS: readonly number[] = [1, HOUR_MS, DAY_MS]

/** The ranges to read for `[fromMs, toMs)`; disjoint, together exactly that range. */
export function planRanges(fromMs: number, toMs: number, level: Level = 2): LevelRange[] {
  if (fromMs >= toMs) return []
  if (level === 0) return [{ level, fromMs, toMs }]
  const bucketMs = BUCKET_MS[level]!
  const innerFrom = nextBucketStart(fromMs, bucketMs)
  const innerTo = bucketStart(toMs, bucketMs)
  const finer = (level - 1) as Level
  if (innerFrom >= innerTo) return planRanges(fromMs, toMs, finer)
  return [
    ...planRanges(fromMs, innerFrom, finer),
    { level, fromMs: innerFrom, toMs: innerTo },
    ...planRanges(innerTo, toMs, finer),
  ]
}

/** The coarsest level whose buckets each lie within one step, which may be `WHOLE`. */
export function coarsestWithin(stepMs: number): Level {
  if (stepMs === WHOLE || stepMs % DAY_MS === 0) return 2
  return stepMs % HOUR_MS === 0 ? 1 : 0
}
