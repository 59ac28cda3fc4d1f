import { DateTime, Duration } from 'luxon'
import type { Range } from '../answers.ts'

/** How pages write numbers and times. */

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 })
const short = new Intl.NumberFormat('en', { minimumFractionDigits: 1, maximumFractionDigits: 1 })
const large = new Intl.NumberFormat('en', { maximumFractionDigits: 1 })

export const count = (n: number) => whole.format(n)

/** A value with its unit; a dash where there is none. */
export function valueText(value: number | null, unit: string): string {
  if (value === null) return '–'
  return unit === '' ? short.format(value) : `${short.format(value)} ${unit}`
}

export const total = (value: number) => large.format(value)

const at = (ms: number, zone: string) => DateTime.fromMillis(ms, { zone, locale: 'en-GB' })

/** `22 Nov 2026, 10:00:00`. */
export const moment = (ms: number, zone: string) => at(ms, zone).toFormat('d LLL yyyy, HH:mm:ss')

/** `22 Nov, 10:00`. */
export const minute = (ms: number, zone: string) => at(ms, zone).toFormat('d LLL yyyy, HH:mm')

export const isoDate = (ms: number, zone: string) => at(ms, zone).toISODate() ?? ''

/** `1 Nov 2026 to 7 Nov 2026`, with times where the range does not run from midnight to midnight. */
export function rangeText({ fromMs, toMs }: Range, zone: string): string {
  const from = at(fromMs, zone)
  const to = at(toMs, zone)
  const midnights = +from.startOf('day') === fromMs && +to.startOf('day') === toMs
  if (!midnights) return `${minute(fromMs, zone)} to ${minute(toMs, zone)}`
  const last = to.minus({ days: 1 })
  const day = (date: DateTime) => date.toFormat('d LLL yyyy')
  return last.hasSame(from, 'day') ? day(from) : `${day(from)} to ${day(last)}`
}

/** `2 minutes`, `6 hours`, `1 day`. */
export function step(ms: number): string {
  return Duration.fromMillis(ms, { locale: 'en' }).rescale().toHuman({ showZeros: false })
}
