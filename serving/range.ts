import { DateTime, IANAZone } from 'luxon'
import { TidemarkError } from '../schemas/errors.ts'
import { bucketStart, DAY_MS, MINUTE_MS, nextBucketStart } from '../schemas/time.ts'
import type { Range } from './answers.ts'

/** A range as a request names it. */
export interface AskedRange {
  readonly from?: string | undefined
  readonly to?: string | undefined
  /** IANA zone in which dates and times without zone are meant; default UTC. */
  readonly tz?: string | undefined
}

/** Answers reach from year 0 to year 9999, which every format can write. */
const TIME_MS_MIN = Date.UTC(0, 0, 1) - 1900 * 366 * DAY_MS
const TIME_MS_MAX = Date.UTC(9999, 11, 31, 23, 59, 59, 999)

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
  if (toMs < fromMs) throw wrong('to', `to must not be before from, and ${to} is before ${from}`)
  const startMs = bucketStart(fromMs, MINUTE_MS)
  return { fromMs: startMs, toMs: toMs === fromMs ? startMs : nextBucketStart(toMs, MINUTE_MS) }
}

/** Throws `E_PARAMETER` when there is no such zone. */
export function parseZone(tz: string | undefined): string {
  if (tz === undefined || tz === '') return 'UTC'
  if (!IANAZone.isValidZone(tz)) throw wrong('tz', `tz must be a time zone like Europe/Berlin, not ${tz}`)
  return tz
}

/** ISO 8601, a date (its midnight in `zone`, `days` later), or milliseconds since 1970. */
export function parseInstant(name: string, text: string, zone: string, days = 0): number {
  const asked = instant(text.trim(), zone, days)
  // The end of the last day lies behind every time that can be written.
  const ms = asked !== null && days > 0 ? Math.min(asked, TIME_MS_MAX) : asked
  if (ms === null || ms < TIME_MS_MIN || ms > TIME_MS_MAX) {
    throw wrong(
      name,
      `${name} must be ISO 8601, a date like 2026-11-22, or milliseconds since 1970, not ${text}`,
    )
  }
  return ms
}

function instant(text: string, zone: string, days: number): number | null {
  // Eight digits are a date whose dashes are missing, not a time in January 1970.
  if (/^\d{8}$/.test(text)) return null
  if (/^-?\d{1,16}$/.test(text)) return Number(text)
  if (/^\d{4}-\d\d-\d\d$/.test(text)) {
    const date = DateTime.fromISO(text, { zone })
    return date.isValid ? date.plus({ days }).startOf('day').toMillis() : null
  }
  if (!/^\d{4}-\d\d-\d\dT/.test(text)) return null
  // A `+` that nobody encoded arrives as a space.
  const time = DateTime.fromISO(text.replace(/ (\d\d:?\d\d)$/, '+$1'), { zone })
  return time.isValid ? time.toMillis() : null
}

function wrong(field: string, message: string): TidemarkError {
  return new TidemarkError('E_PARAMETER', message, { field })
}
