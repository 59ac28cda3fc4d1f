import { firstInstant, wallOf } from './zone.ts'

/**
 * Buckets of time as the one who asks counts it: minutes and hours of the wall clock, days, weeks from Monday, months and
 * years of the zone. None begins before the range or ends behind it; the first and last may therefore be partial.
 */
export interface Bucket {
  readonly fromMs: number
  readonly toMs: number
  /** The range cuts it. */
  readonly partial: boolean
}

export interface Step {
  readonly unit: 'minute' | 'hour' | 'day' | 'week' | 'month' | 'year'
  readonly count: number
}

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS
/** 5 January 1970 was a Monday. */
const MONDAY_MS = 4 * DAY_MS

const LONG: { readonly [unit: string]: number } = {
  minute: MINUTE_MS,
  hour: HOUR_MS,
  day: DAY_MS,
  week: 7 * DAY_MS,
  month: 30.4 * DAY_MS,
  year: 365.25 * DAY_MS,
}

/** From the shortest to the longest. */
export const STEPS: readonly Step[] = (
  [
    ['minute', [1, 2, 5, 10, 15, 30]],
    ['hour', [1, 2, 3, 6, 12]],
    ['day', [1]],
    ['week', [1]],
    ['month', [1, 3]],
    ['year', [1, 10, 100]],
  ] as const
).flatMap(([unit, counts]) => counts.map((count) => ({ unit, count })))

/** The shortest step that makes at most `max` whole buckets of a range. */
export function fittingStep(fromMs: number, toMs: number, max: number): Step {
  return STEPS.find(({ unit, count }) => (toMs - fromMs) / (LONG[unit]! * count) <= max) ?? STEPS.at(-1)!
}

/** `15 minutes`, `1 week`. */
export function stepName({ unit, count }: Step): string {
  return `${count} ${unit}${count === 1 ? '' : 's'}`
}

/** The wall reading with which the bucket that holds `wall` begins. */
function floorWall(wall: number, { unit, count }: Step): number {
  const date = new Date(wall)
  const years = Math.floor(date.getUTCFullYear() / count) * count
  if (unit === 'year') return utc(years, 0)
  if (unit === 'month') return utc(date.getUTCFullYear(), Math.floor(date.getUTCMonth() / count) * count)
  const origin = unit === 'week' ? MONDAY_MS : 0
  const length = LONG[unit]! * count
  return Math.floor((wall - origin) / length) * length + origin
}

/** The wall reading with which the next one begins. */
function nextWall(wall: number, { unit, count }: Step): number {
  const date = new Date(wall)
  if (unit === 'year') return utc(date.getUTCFullYear() + count, 0)
  if (unit === 'month') return utc(date.getUTCFullYear(), date.getUTCMonth() + count)
  return wall + LONG[unit]! * count
}

function utc(year: number, month: number): number {
  const date = new Date(0)
  date.setUTCFullYear(year, month, 1)
  return date.getTime()
}

/** The buckets of a range in order, without a hole between them. */
export function bucketsOf(fromMs: number, toMs: number, step: Step, zone: string): Bucket[] {
  if (toMs <= fromMs) return []
  const edges = step.unit === 'minute' || step.unit === 'hour' ? clockEdges : dateEdges
  const borders = edges(fromMs, toMs, step, zone)
  const buckets: Bucket[] = []
  for (let i = 0; i + 1 < borders.length; i++) {
    const from = Math.max(borders[i]!, fromMs)
    const to = Math.min(borders[i + 1]!, toMs)
    if (from < to)
      buckets.push({ fromMs: from, toMs: to, partial: from !== borders[i] || to !== borders[i + 1] })
  }
  return buckets
}

/** Borders of days and longer: the first instants of their dates. */
function dateEdges(fromMs: number, toMs: number, step: Step, zone: string): number[] {
  // By a date earlier, for a clock put back over midnight shows yesterday once more.
  let wall = floorWall(wallOf(fromMs, zone) - DAY_MS, step)
  const borders = [firstInstant(wall, zone)]
  while (borders.at(-1)! < toMs) {
    wall = nextWall(wall, step)
    borders.push(firstInstant(wall, zone))
  }
  return borders
}

/**
 * Borders of minutes and hours: where the wall clock begins one, and where it is changed. So the hour that comes twice is two
 * buckets.
 */
function clockEdges(fromMs: number, toMs: number, step: Step, zone: string): number[] {
  const length = LONG[step.unit]! * step.count
  let at = fromMs - (wallOf(fromMs, zone) - floorWall(wallOf(fromMs, zone), step))
  const borders = [at]
  while (at < toMs) {
    const wall = wallOf(at, zone)
    const next = at + (floorWall(wall, step) + length - wall)
    at = changeWithin(at, next, zone) ?? next
    borders.push(at)
  }
  return borders
}

/** The instant within `(from, to)` from which on the clocks show something else; null where they just go on. */
function changeWithin(from: number, to: number, zone: string): number | null {
  const before = wallOf(from, zone) - from
  if (wallOf(to - 1, zone) - (to - 1) === before) return null
  let [low, high] = [from + 1, to - 1]
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    if (wallOf(middle, zone) - middle === before) low = middle + 1
    else high = middle
  }
  return high
}
