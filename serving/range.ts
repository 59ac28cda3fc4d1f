import { DateTime, IANAZone } from 'luxon'
import { TidemarkError } from '../schemas/errors.ts'
import { shown } from '../schemas/shown.ts'
import {
  ANSWER_MS_MAX,
  ANSWER_MS_MIN,
  bucketStart,
  DAY_MS,
  HOUR_MS,
  MINUTE_MS,
  nextBucketStart,
} from '../schemas/time.ts'
import type { Range } from './answers.ts'

/** A range as a request names it. */
export interface AskedRange {
  readonly from?: string | undefined
  readonly to?: string | undefined
  /** IANA zone in which dates and times without zone are meant; default UTC. */
  readonly tz?: string | undefined
}

/**
 * The range `[from, to)` in whole minutes, rounded outward; without either the last 24 hours. With `lastDayIncluded`, as
 * on pages, a `to` that is a date means the end of that day. Throws `E_PARAMETER` naming the parameter.
 */
export function parseRange(
  asked: AskedRange,
  nowMs: number,
  { lastDayIncluded = false }: { lastDayIncluded?: boolean } = {},
): Range {
  const zone = parseZone(asked.tz)
  const { from, to } = asked
  if (from === undefined && to === undefined) {
    const toMs = nextBucketStart(nowMs, MINUTE_MS)
    return { fromMs: toMs - DAY_MS, toMs }
  }
  if (from === undefined) throw wrong('from', 'from is missing; give both from and to, or neither')
  if (to === undefined) throw wrong('to', 'to is missing; give both from and to, or neither')
  const fromMs = parseInstant('from', from, zone, 0)
  const toMs = parseInstant('to', to, zone, lastDayIncluded ? 1 : 0)
  if (toMs < fromMs)
    throw wrong('to', `to must not be before from, and ${shown(to)} is before ${shown(from)}`)
  const startMs = bucketStart(fromMs, MINUTE_MS)
  if (toMs === fromMs) return { fromMs: startMs, toMs: startMs }
  // The last minute of all ends with the last millisecond that can be written.
  return { fromMs: startMs, toMs: Math.min(nextBucketStart(toMs, MINUTE_MS), ANSWER_MS_MAX) }
}

/** Throws `E_PARAMETER` when there is no such zone. */
export function parseZone(tz: string | undefined): string {
  if (tz === undefined || tz === '') return 'UTC'
  if (!IANAZone.isValidZone(tz))
    throw wrong('tz', `tz must be a time zone like Europe/Berlin, not ${shown(tz)}`)
  return tz
}

/**
 * ISO 8601, a date (its midnight in `zone`, `days` later), or milliseconds since 1970. What the clocks of `zone` showed twice
 * is meant as the first, what they skipped as the moment of the change, so that times keep their order. Throws `E_PARAMETER`.
 */
export function parseInstant(name: string, text: string, zone: string, days = 0): number {
  const asked = text.trim()
  // Not a time in January 1970, and too easily meant as a date.
  if (/^\d{8}$/.test(asked))
    throw wrong(
      name,
      `${name} must have dashes where it is a date: ${asked.replace(/^(....)(..)(..)$/, '$1-$2-$3')}`,
    )
  const ms = /^-?\d{1,16}$/.test(asked) ? Number(asked) : calendarMs(asked, zone, days)
  if (ms === null || ms < ANSWER_MS_MIN || ms > ANSWER_MS_MAX)
    throw wrong(
      name,
      `${name} must be ISO 8601, a date like 2026-11-22, or milliseconds since 1970, not ${shown(text)}`,
    )
  return ms
}

/** A date or a time; within what answers can write, wherever it is meant. Null when it is neither. */
function calendarMs(text: string, zone: string, days: number): number | null {
  const ms = /^\d{4}-\d\d-\d\d$/.test(text) ? midnight(text, zone, days) : timeOfDay(text, zone)
  return ms === null ? null : Math.min(Math.max(ms, ANSWER_MS_MIN), ANSWER_MS_MAX)
}

function midnight(date: string, zone: string, days: number): number | null {
  const wall = DateTime.fromISO(date, { zone: 'utc' })
  return wall.isValid ? instantOf(wall.toMillis() + days * DAY_MS, zone) : null
}

/** Date and time, seconds, their fraction and the zone may be left out; of an offset the minutes too. */
const TIME = /^(\d{4}-\d\d-\d\dT\d\d:?\d\d)(?:(:?)(\d\d)([.,]\d+)?)?(Z|[+ -]\d\d(?::?\d\d)?)?$/

function timeOfDay(text: string, zone: string): number | null {
  const match = TIME.exec(text)
  if (match === null) return null
  const [, minute, colon, second = '00', fraction = '', offset] = match
  const isLeap = second === '60'
  // A leap second belongs to its minute, and is the last of a day in UTC.
  const seconds = `${colon ?? ':'}${isLeap ? '59.999' : `${second}${fraction}`}`
  // A `+` that nobody encoded arrives as a space.
  const local = `${minute}${minute!.includes(':') ? seconds : seconds.replace(':', '')}`
  const parsed = DateTime.fromISO(`${local}${offset?.replace(' ', '+') ?? ''}`, { zone: 'utc' })
  if (!parsed.isValid) return null
  const ms = offset === undefined ? instantOf(parsed.toMillis(), zone) : parsed.toMillis()
  return isLeap && nextBucketStart(ms, MINUTE_MS) % DAY_MS !== 0 ? null : ms
}

/** More than any two zones, or one zone before and after a change, are apart. */
const APART_MS = 26 * HOUR_MS

/** When the clocks of `zone` showed `wallMs`, which is told as if they were those of UTC. */
function instantOf(wallMs: number, zone: string): number {
  const clocks = IANAZone.create(zone)
  const offsetAt = (ms: number) => clocks.offset(ms) * MINUTE_MS
  let low = wallMs - APART_MS
  let high = wallMs + APART_MS
  for (const offset of [offsetAt(low), offsetAt(high)])
    if (offsetAt(wallMs - offset) === offset) return wallMs - offset
  // It was skipped: the first moment at which they showed a later time.
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2)
    if (middle + offsetAt(middle) > wallMs) high = middle
    else low = middle
  }
  return high
}

function wrong(field: string, message: string): TidemarkError {
  return new TidemarkError('E_PARAMETER', message, { field })
}
