import { firstInstant, isZone, wallOf } from './zone.ts'

/** A range of time `[fromMs, toMs)` as an address names it. */
export interface Range {
  readonly fromMs: number
  readonly toMs: number
  /** Its name where it moves with the clock, like `15m`. */
  readonly last: string | null
}

const MINUTE_MS = 60_000
const DAY_MS = 86_400_000
const UNITS: { readonly [unit: string]: number } = { m: MINUTE_MS, h: 60 * MINUTE_MS, d: DAY_MS }

/** What is asked for most: names in an address, and as people say them. */
export const LAST: readonly (readonly [string, string])[] = [
  ['15m', 'Last 15 minutes'],
  ['1h', 'Last hour'],
  ['6h', 'Last 6 hours'],
  ['24h', 'Last 24 hours'],
  ['7d', 'Last 7 days'],
  ['28d', 'Last 28 days'],
  ['90d', 'Last 90 days'],
]

/** What is wrong with a range, in a sentence that names the fix. */
export class WrongRange extends Error {}

/** The zone of an address. Throws `WrongRange`. */
export function zoneOf(params: URLSearchParams, own: string): string {
  const zone = params.get('tz') || own
  if (!isZone(zone))
    throw new WrongRange(`There is no time zone “${zone.slice(0, 60)}”; write one like Europe/Berlin or UTC.`)
  return zone
}

/** The range of an address; without one the last 24 hours. Dates include the last one. Throws `WrongRange`. */
export function rangeOf(params: URLSearchParams, zone: string, nowMs: number): Range {
  const [from, to, last] = [params.get('from'), params.get('to'), params.get('last')]
  if (from === null && to === null) return lastRange(last ?? '24h', nowMs)
  if (from === null || to === null)
    throw new WrongRange(`A range has two ends, but “${from === null ? 'from' : 'to'}” is missing.`)
  const fromMs = edge('from', from, zone, false)
  const toMs = edge('to', to, zone, true)
  // A date that a zone left out, as 30 December 2011 in Samoa, is a day of no length.
  if (toMs < fromMs || (toMs === fromMs && !(from === to && DATE.test(to))))
    throw new WrongRange(`The end, ${to}, must be after the beginning, ${from}.`)
  return { fromMs, toMs, last: null }
}

function lastRange(last: string, nowMs: number): Range {
  const [, count, unit] = /^(\d{1,5})([mhd])$/.exec(last) ?? []
  const lengthMs = Number(count) * UNITS[unit ?? '']!
  if (!(lengthMs > 0)) throw new WrongRange(`“last” must be like 15m, 6h or 7d, not “${last.slice(0, 40)}”.`)
  const toMs = Math.ceil(nowMs / MINUTE_MS) * MINUTE_MS
  return { fromMs: toMs - lengthMs, toMs, last }
}

const DATE = /^(\d{4})-(\d\d)-(\d\d)$/
const TIME = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d)(?::(\d\d)(?:\.\d{1,9})?)?(?:(Z)|([+ -])(\d\d):?(\d\d)?)?$/

function edge(name: string, text: string, zone: string, isEnd: boolean): number {
  if (/^\d{11,15}$/.test(text)) return Number(text)
  const match = DATE.exec(text) ?? TIME.exec(text)
  if (match === null)
    throw new WrongRange(
      `“${name}” must be a date like 2026-11-22 or a time like 2026-11-22T10:00, not “${text.slice(0, 40)}”.`,
    )
  const [, y, m, d, hour = '0', minute = '0', second = '0', utc, sign, ahead = '0', more = '0'] = match
  const wall = Date.UTC(Number(y), Number(m) - 1, Number(d), Number(hour), Number(minute), Number(second))
  if (new Date(wall).getUTCDate() !== Number(d) || Number(m) > 12 || Number(hour) > 23)
    throw new WrongRange(
      `There is no ${text.slice(0, 40)}: the month has no such day, or the day no such hour.`,
    )
  if (utc) return wall
  // A `+` that nobody encoded arrives as a space.
  if (sign) return wall - (sign === '-' ? -1 : 1) * (Number(ahead) * 60 + Number(more)) * MINUTE_MS
  return firstInstant(isEnd && DATE.test(text) ? wall + DAY_MS : wall, zone)
}

/** The date that a wall clock shows: `2026-11-22`. */
export function dateOf(ms: number, zone: string): string {
  return new Date(wallOf(ms, zone)).toISOString().slice(0, 10)
}

/** First instants of a date, and of the one `days` later. */
export function startOfDay(ms: number, zone: string, days = 0): number {
  return firstInstant(Math.floor(wallOf(ms, zone) / DAY_MS) * DAY_MS + days * DAY_MS, zone)
}

/** Parameters of an address that name a range: dates where it runs over whole days, else times in UTC. */
export function rangeParams({ fromMs, toMs, last }: Range, zone: string): { [name: string]: string } {
  if (last !== null) return { last }
  if (startOfDay(fromMs, zone) === fromMs && startOfDay(toMs, zone) === toMs)
    return { from: dateOf(fromMs, zone), to: dateOf(toMs - 1, zone) }
  return { from: instant(fromMs), to: instant(toMs) }
}

const instant = (ms: number) => new Date(ms).toISOString().replace(':00.000Z', 'Z')

/**
 * The range of the same length right before (`-1`) or behind (`1`): as many dates where it runs over whole days, whatever their
 * hours. None that begins in the future.
 */
export function neighbour(range: Range, zone: string, nowMs: number, by: 1 | -1): Range | null {
  const { fromMs, toMs } = range
  const isWhole = startOfDay(fromMs, zone) === fromMs && startOfDay(toMs, zone) === toMs && toMs > fromMs
  const days = isWhole ? daysBetween(fromMs, toMs, zone) : 0
  const move = (ms: number) => (days > 0 ? startOfDay(ms, zone, by * days) : ms + by * (toMs - fromMs))
  const moved = { fromMs: by === 1 ? toMs : move(fromMs), toMs: by === 1 ? move(toMs) : fromMs, last: null }
  return moved.fromMs >= nowMs || moved.toMs <= moved.fromMs ? null : moved
}

/** Twice as much of the time around a range, or up to now where that would lie ahead. */
export function wider({ fromMs, toMs }: Range, nowMs: number): Range {
  const moreMs = Math.ceil(Math.max(toMs - fromMs, MINUTE_MS) / 2 / MINUTE_MS) * MINUTE_MS
  const endMs = Math.max(toMs, Math.min(toMs + moreMs, Math.ceil(nowMs / MINUTE_MS) * MINUTE_MS))
  return { fromMs: fromMs - 2 * moreMs + (endMs - toMs), toMs: endMs, last: null }
}

/** The half of a range around its middle, in whole minutes; none of less than two. */
export function narrower({ fromMs, toMs }: Range): Range | null {
  const lessMs = Math.floor((toMs - fromMs) / 4 / MINUTE_MS) * MINUTE_MS
  if (lessMs === 0) return null
  const atMs = Math.ceil(fromMs / MINUTE_MS) * MINUTE_MS
  const endMs = Math.floor(toMs / MINUTE_MS) * MINUTE_MS
  return { fromMs: atMs + lessMs, toMs: endMs - lessMs, last: null }
}

/** How many dates of the zone lie between two of their beginnings. */
const daysBetween = (fromMs: number, toMs: number, zone: string) =>
  Math.round((Date.parse(dateOf(toMs, zone)) - Date.parse(dateOf(fromMs, zone))) / DAY_MS)

/** Ranges of whole days: today, yesterday, this month. */
export function dayPresets(nowMs: number, zone: string): { name: string; from: string; to: string }[] {
  const today = dateOf(nowMs, zone)
  const yesterday = dateOf(startOfDay(nowMs, zone) - 1, zone)
  return [
    { name: 'Today', from: today, to: today },
    { name: 'Yesterday', from: yesterday, to: yesterday },
    { name: 'This month', from: `${today.slice(0, 8)}01`, to: today },
  ]
}
