import type { Range } from './range.ts'
import { startOfDay } from './range.ts'
import { comesTwice, offsetName, wallOf } from './zone.ts'

/** How pages write numbers and times. */

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 })
const short = new Intl.NumberFormat('en', { minimumFractionDigits: 1, maximumFractionDigits: 1 })
const compact = new Intl.NumberFormat('en', { notation: 'compact', maximumSignificantDigits: 3 })
const small = new Intl.NumberFormat('en', { maximumSignificantDigits: 3 })
const tiny = new Intl.NumberFormat('en', { notation: 'scientific', maximumFractionDigits: 2 })

export const count = (n: number) => whole.format(n)

/** A phrase of the API as a sentence. */
export const sentence = (text: string) =>
  text === '' ? '' : `${text[0]!.toUpperCase()}${text.slice(1)}${/[.!?…]$/.test(text) ? '' : '.'}`

/** A value with its unit, to a tenth or, below one, to three digits; a dash where there is none. Percent are always to a tenth. */
export function valueText(value: number | null | undefined, unit: string): string {
  if (value === null || value === undefined) return '–'
  const number = formatOf(Math.abs(value), unit).format(value)
  return unit === '' ? number : `${number} ${unit}`
}

function formatOf(size: number, unit: string): Intl.NumberFormat {
  if (size >= 1e7) return compact
  if (size >= 1e5) return whole
  if (size === 0 || size >= 1 || unit === '%') return short
  return size < 1e-6 ? tiny : small
}

/** More digits tell nothing more of a double. */
const DIGITS_MAX = 12

/** Marks of an axis: as short as they are told exactly. */
export function axisTexts(values: readonly number[], unit: string): string[] {
  if (unit === '%') return values.map((value) => `${value} %`)
  const size = Math.max(...values.map(Math.abs))
  const notation = size >= 1e5 ? 'compact' : size < 1e-3 ? 'scientific' : 'standard'
  let digits = 1
  const isExact = (value: number) => Math.abs(Number(value.toPrecision(digits)) - value) <= size * 1e-10
  while (digits < DIGITS_MAX && !values.every(isExact)) digits++
  const format = new Intl.NumberFormat('en', { notation, maximumSignificantDigits: digits })
  return values.map((value) => (value === 0 ? '0' : format.format(value)))
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat']
const two = (n: number) => String(n).padStart(2, '0')
const wallDate = (ms: number, zone: string) => new Date(wallOf(ms, zone))

/** `22 Nov 2026`. */
export function day(ms: number, zone: string): string {
  const at = wallDate(ms, zone)
  return `${at.getUTCDate()} ${MONTHS[at.getUTCMonth()]} ${at.getUTCFullYear()}`
}

/** `Sun 22 Nov`. */
export function weekday(ms: number, zone: string): string {
  const at = wallDate(ms, zone)
  return `${DAYS[at.getUTCDay()]} ${at.getUTCDate()} ${MONTHS[at.getUTCMonth()]}`
}

/** `10:00`, and of an hour that comes twice which of the two: `02:00 UTC+2`. */
export function clock(ms: number, zone: string): string {
  const at = wallDate(ms, zone)
  const text = `${two(at.getUTCHours())}:${two(at.getUTCMinutes())}`
  return comesTwice(ms, zone) ? `${text} ${offsetName(ms, zone)}` : text
}

/** `22 Nov 2026, 10:00`. */
export const minute = (ms: number, zone: string) => `${day(ms, zone)}, ${clock(ms, zone)}`

/** `22 Nov, 10:00:07`: without the year, which a heading names. */
export function moment(ms: number, zone: string): string {
  const at = wallDate(ms, zone)
  const date = `${at.getUTCDate()} ${MONTHS[at.getUTCMonth()]}`
  const time = `${two(at.getUTCHours())}:${two(at.getUTCMinutes())}:${two(at.getUTCSeconds())}`
  return `${date}, ${time}${comesTwice(ms, zone) ? ` ${offsetName(ms, zone)}` : ''}`
}

/** `1 Nov 2026 to 7 Nov 2026`, with times where the range does not run over whole days. */
export function rangeText({ fromMs, toMs }: Pick<Range, 'fromMs' | 'toMs'>, zone: string): string {
  if (startOfDay(fromMs, zone) !== fromMs || startOfDay(toMs, zone) !== toMs) {
    const end = day(fromMs, zone) === day(toMs, zone) ? clock(toMs, zone) : minute(toMs, zone)
    return `${minute(fromMs, zone)} to ${end}`
  }
  const [first, last] = [day(fromMs, zone), day(toMs - 1, zone)]
  return first === last ? first : `${first} to ${last}`
}

const LENGTHS = [
  [604_800_000, 'week'],
  [86_400_000, 'day'],
  [3_600_000, 'hour'],
  [60_000, 'minute'],
  [1_000, 'second'],
] as const

/** A length as people name it: `28 days`, `1 week`, `36 hours`, `4 hours 30 minutes`, `90 seconds`. */
export function lengthText(ms: number): string {
  const fits = ([unit, name]: readonly [number, string]) =>
    ms >= unit && ms % unit === 0 && (name !== 'week' || ms === unit)
  const [unit, name] = LENGTHS.find(fits) ?? [1_000, 'second']
  const n = Math.round(ms / unit)
  const i = LENGTHS.findIndex((length) => length[0] === unit)
  const above = LENGTHS[i - 1]
  if (above !== undefined && n >= MANY[name]!) {
    const rest = ms % above[0]
    return `${lengthText(ms - rest)} ${lengthText(rest)}`
  }
  return `${whole.format(n)} ${name}${n === 1 ? '' : 's'}`
}

/** So many are told in the unit above and this one. */
const MANY: { readonly [unit: string]: number } = {
  second: 120,
  minute: 120,
  hour: 49,
  day: Number.POSITIVE_INFINITY,
  week: Number.POSITIVE_INFINITY,
}

/** How long ago: `3 s ago`, `5 min ago`, `2 days ago`. */
export function ago(ms: number): string {
  const s = Math.max(0, Math.round(ms / 1_000))
  if (s < 60) return `${s} s ago`
  if (s < 3_600) return `${Math.floor(s / 60)} min ago`
  if (s < 172_800) return `${Math.floor(s / 3_600)} h ago`
  return `${whole.format(Math.floor(s / 86_400))} days ago`
}

/** Bytes as people read them: `0 B`, `12.3 MiB`. */
export function bytesText(bytes: number): string {
  const unit = Math.min(5, Math.floor(Math.log2(Math.max(1, bytes)) / 10))
  const number = unit === 0 ? whole.format(bytes) : short.format(bytes / 2 ** (10 * unit))
  return `${number} ${['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'][unit]}`
}

/** A length to one unit, rounded down: `250 ms`, `3 s`, `5 min`, `2 h`, `3 days`. */
export function roughly(ms: number): string {
  return ms < 1_000 ? `${whole.format(ms)} ms` : ago(ms).replace(/ ago$/, '')
}

/** How far behind the end of the log something is: `up to date`, `3 blocks, 12 s behind`; without a time where none is known. */
export function lagText({
  lag_blocks: blocks = 0,
  lag_ms: ms,
}: {
  lag_blocks?: number
  lag_ms?: number
}): string {
  if (blocks <= 0) return 'up to date'
  const time = ms === undefined ? '' : `, ${roughly(ms)}`
  return `${whole.format(blocks)} ${blocks === 1 ? 'block' : 'blocks'}${time} behind`
}
