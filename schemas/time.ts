export const MINUTE_MS = 60_000
/** One hour: the unit of recomputation. */
export const HOUR_MS = 3_600_000
export const DAY_MS = 86_400_000

/** Units of durations as people write them, in milliseconds. */
export const UNITS_MS: { readonly [unit: string]: number } = {
  ms: 1,
  s: 1_000,
  m: MINUTE_MS,
  h: HOUR_MS,
  d: DAY_MS,
}

/** The first and the last millisecond of the years 1 to 9999: every time that a message may have. */
export const TIME_MS_MIN = Date.parse('0001-01-01T00:00:00Z')
export const TIME_MS_MAX = Date.parse('9999-12-31T23:59:59.999Z')

/** What questions and answers can name: the years 0 to 9999, which are written with four digits. */
export const ANSWER_MS_MIN = Date.parse('0000-01-01T00:00:00Z')
export const ANSWER_MS_MAX = TIME_MS_MAX

/** The UTC date of a time, as `YYYY-MM-DD`. */
export function utcDate(timeMs: number): string {
  return new Date(timeMs).toISOString().slice(0, 10)
}

/** Start of the bucket of length `ms` that holds `timeMs`; right for times before 1970 too. */
export function bucketStart(timeMs: number, ms: number): number {
  return Math.floor(timeMs / ms) * ms
}

/** The first start of a bucket at or behind `timeMs`. */
export function nextBucketStart(timeMs: number, ms: number): number {
  return Math.ceil(timeMs / ms) * ms
}
