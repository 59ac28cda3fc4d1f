/** Wall clocks of time zones, from what the platform knows of them. Instants are milliseconds since 1970. */

const clocks = new Map<string, Intl.DateTimeFormat>()

function clockOf(zone: string): Intl.DateTimeFormat {
  let clock = clocks.get(zone)
  if (clock === undefined) {
    clock = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      hourCycle: 'h23',
      era: 'short',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    })
    clocks.set(zone, clock)
  }
  return clock
}

/** Whether the platform knows a zone. */
export function isZone(zone: string): boolean {
  try {
    clockOf(zone)
    return true
  } catch {
    return false
  }
}

/** What a wall clock shows, as if it were UTC: `Date.UTC` of its reading. */
export function wallOf(ms: number, zone: string): number {
  return ms + offsetAt(ms, zone)
}

function readClock(ms: number, zone: string): number {
  const read: { [part: string]: number } = {}
  let before = false
  for (const { type, value } of clockOf(zone).formatToParts(ms)) {
    if (type === 'era') before = value.startsWith('B')
    else read[type] = Number(value)
  }
  const year = before ? 1 - read.year! : read.year!
  const wall = new Date(0)
  wall.setUTCFullYear(year, read.month! - 1, read.day!)
  wall.setUTCHours(read.hour!, read.minute!, read.second!, ((ms % 1_000) + 1_000) % 1_000)
  return wall.getTime()
}

const DAY_MS = 86_400_000
/** Beyond, the days around an instant may be none that a `Date` can hold. */
const STEADY_MS_MAX = 8e15
/** Days that are known, of all zones; then they are forgotten. */
const DAYS_MAX = 10_000

/** By zone and day in UTC the offset of all of it; null where it changes. */
const offsets = new Map<string, number | null>()

/** Milliseconds by which the wall clock is ahead of UTC at an instant. To ask the platform takes long, and of most days once will do. */
export function offsetAt(ms: number, zone: string): number {
  if (zone === 'UTC') return 0
  const exact = (at: number) => readClock(at, zone) - at
  if (!(Math.abs(ms) < STEADY_MS_MAX)) return exact(ms)
  const startMs = Math.floor(ms / DAY_MS) * DAY_MS
  const name = `${zone} ${startMs}`
  let offset = offsets.get(name)
  if (offset === undefined) {
    if (offsets.size >= DAYS_MAX) offsets.clear()
    const [first, last] = [exact(startMs), exact(startMs + DAY_MS)]
    offset = first === last ? first : null
    offsets.set(name, offset)
  }
  return offset ?? exact(ms)
}

/** East of all zones it is already a day later, west of all a day earlier. */
const EAST_MS = 15 * 3_600_000
const WEST_MS = 13 * 3_600_000

/**
 * Returns the first instant at which the wall clock of a zone shows `wall` or, where it skips that, more. A reading that
 * comes twice means its first instant, whatever the season of the one who asks.
 */
export function firstInstant(wall: number, zone: string): number {
  const offsets = [offsetAt(wall - EAST_MS, zone), offsetAt(wall + WEST_MS, zone)]
  const shown = offsets.map((offset) => wall - offset).filter((ms) => wallOf(ms, zone) === wall)
  if (shown.length > 0) return Math.min(...shown)
  // The clocks jumped over it: the moment of the change.
  const after = offsets[1]!
  let [low, high] = [wall - Math.max(...offsets), wall - Math.min(...offsets)]
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    if (offsetAt(middle, zone) === after) high = middle
    else low = middle + 1
  }
  return high
}

/** Whether the wall clock shows the same at another instant too: the hour that comes twice in autumn. */
export function comesTwice(ms: number, zone: string): boolean {
  const wall = wallOf(ms, zone)
  const near = [offsetAt(ms - 10_800_000, zone), offsetAt(ms + 10_800_000, zone)]
  return near.some((offset) => wall - offset !== ms && wallOf(wall - offset, zone) === wall)
}

/** `UTC+2`, `UTC−3:30`. */
export function offsetName(ms: number, zone: string): string {
  const minutes = Math.round(offsetAt(ms, zone) / 60_000)
  const [hours, rest] = [Math.floor(Math.abs(minutes) / 60), Math.abs(minutes) % 60]
  return `UTC${minutes < 0 ? '−' : '+'}${hours}${rest === 0 ? '' : `:${String(rest).padStart(2, '0')}`}`
}
