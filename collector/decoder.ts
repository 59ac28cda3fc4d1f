import { GAUGE_VALUE_MAX, GAUGES } from '../schemas/gauges.ts'
import { AHEAD_MS_MAX, type LineContext } from '../schemas/line.ts'
import { fromDecimal, HIGH_DIGITS, LOW_DIGITS } from './decimal.ts'
import { Names } from './names.ts'

const [QUOTE, BACKSLASH, COLON, COMMA, OPEN, CLOSE] = [0x22, 0x5c, 0x3a, 0x2c, 0x7b, 0x7d] as const
const [SPACE, TAB, RETURN, NEWLINE] = [0x20, 0x09, 0x0d, 0x0a] as const
const [ZERO, NINE, DOT, PLUS, MINUS, SMALL_E, LARGE_E] = [0x30, 0x39, 0x2e, 0x2b, 0x2d, 0x65, 0x45] as const

/** Fields by number: the gauges, in their order, then these. */
const FIELDS = [...GAUGES, 'service', 'host', 'time_stamp', 'seq'].map((name) => Buffer.from(name))
const SERVICE = GAUGES.length
const HOST = SERVICE + 1
const TIME = HOST + 1
const SEQ = TIME + 1
const REQUIRED = (1 << (SERVICE + 1)) - 1

const FNV_START = 0x811c9dc5 | 0
const FNV_PRIME = 0x01000193
const DAY_MS = 86_400_000
const NO_DAY = -1_000_000

/**
 * Decodes message lines in their usual form straight from the bytes received, in one pass and without an object or string
 * for a message: any order of keys, spaces between tokens, any JSON number that is not negative, times as ISO 8601 in UTC
 * or milliseconds. Whatever else a line holds (escapes, other fields, a key twice, anything wrong) it leaves to
 * `decodeLine`, with which it agrees on every line that it takes.
 */
export class LineDecoder {
  /** Of the line decoded last. */
  service = ''
  host = ''
  timeMs = 0
  readonly gauges: number[] = GAUGES.map(() => 0)
  agent: string | null = null
  seq: number | null = null

  readonly #names = new Names()
  /** The fields of the line before, in their order: the next line's are most likely the same. */
  readonly #order = new Uint8Array(FIELDS.length)
  #number = 0
  #name = ''
  /** The date read last, as a number like 20261123, and its day. */
  #date = -1
  #day = NO_DAY

  /** Decodes the line that begins at `from`; the place of its newline, −1 when `decodeLine` must look at it. */
  decode(bytes: Uint8Array, from: number, context: LineContext): number {
    let at = skip(bytes, from)
    if (bytes[at] !== OPEN) return -1
    let seen = 0
    for (let nth = 0; ; nth++) {
      at = skip(bytes, at + 1)
      if (bytes[at] !== QUOTE || nth === FIELDS.length) return -1
      const field = this.#field(bytes, at + 1, nth)
      if (field < 0 || seen & (1 << field)) return -1
      seen |= 1 << field
      at = skip(bytes, at + FIELDS[field]!.length + 2)
      if (bytes[at] !== COLON) return -1
      at = this.#value(bytes, skip(bytes, at + 1), field)
      if (at < 0) return -1
      at = skip(bytes, at)
      if (bytes[at] === CLOSE) break
      if (bytes[at] !== COMMA) return -1
    }
    at = skip(bytes, at + 1)
    return bytes[at] === NEWLINE && this.#isWhole(seen, context) ? at : -1
  }

  /** Fills in what was left out; whether nothing else is missing or out of bounds. */
  #isWhole(seen: number, { agent, arrivalMs, oldestMs, senderAddress }: LineContext): boolean {
    if ((seen & REQUIRED) !== REQUIRED) return false
    // A number belongs to an agent's messages, and to no others.
    if ((agent !== null) !== (seen & (1 << SEQ)) > 0) return false
    this.agent = agent
    if (agent === null) this.seq = null
    if (!(seen & (1 << HOST))) this.host = senderAddress
    if (!(seen & (1 << TIME))) this.timeMs = arrivalMs
    return this.timeMs >= oldestMs && this.timeMs <= arrivalMs + AHEAD_MS_MAX
  }

  /** The field whose name stands at `at`, up to its quote; −1 for any other. */
  #field(bytes: Uint8Array, at: number, nth: number): number {
    const likely = this.#order[nth]!
    if (isNamed(bytes, at, FIELDS[likely]!)) return likely
    for (let field = 0; field < FIELDS.length; field++) {
      if (!isNamed(bytes, at, FIELDS[field]!)) continue
      this.#order[nth] = field
      return field
    }
    return -1
  }

  /** Reads the value of `field` at `at`; where it ends, −1 when it is not plain. */
  #value(bytes: Uint8Array, at: number, field: number): number {
    let end: number
    if (field < SERVICE) {
      end = this.#readNumber(bytes, at)
      if (!(this.#number <= GAUGE_VALUE_MAX)) return -1
      this.gauges[field] = this.#number
      return end
    }
    if (field === TIME && bytes[at] === QUOTE) return this.#readTime(bytes, at + 1)
    if (field === TIME || field === SEQ) {
      end = this.#readNumber(bytes, at)
      if (field === TIME) this.timeMs = Math.trunc(this.#number)
      else this.seq = this.#number
      return field === TIME || (Number.isSafeInteger(this.#number) && this.#number >= 1) ? end : -1
    }
    end = this.#readName(bytes, at)
    if (field === SERVICE) this.service = this.#name
    else this.host = this.#name
    return end
  }

  #readName(bytes: Uint8Array, at: number): number {
    if (bytes[at] !== QUOTE) return -1
    const from = at + 1
    let hash = FNV_START
    for (let i = from; i < bytes.length; i++) {
      const byte = bytes[i]!
      if (byte === QUOTE) {
        const name = this.#names.find(bytes, from, i, hash)
        if (name === null) return -1
        this.#name = name
        return i + 1
      }
      if (byte === BACKSLASH || byte < SPACE) return -1
      hash = Math.imul(hash ^ byte, FNV_PRIME)
    }
    return -1
  }

  /** As JSON has it, but for the sign: nothing here may be negative. */
  #readNumber(bytes: Uint8Array, from: number): number {
    let at = from
    let value = 0
    for (let byte = bytes[at]!; byte >= ZERO && byte <= NINE; byte = bytes[++at]!)
      value = value * 10 + byte - ZERO
    const whole = at - from
    if (whole === 0 || (whole > 1 && bytes[from] === ZERO)) return -1
    let fraction = 0
    if (bytes[at] === DOT) {
      const first = ++at
      for (let byte = bytes[at]!; byte >= ZERO && byte <= NINE; byte = bytes[++at]!)
        value = value * 10 + byte - ZERO
      fraction = at - first
      if (fraction === 0) return -1
    }
    const digitsEnd = at
    let exponent = -fraction
    if (bytes[at] === SMALL_E || bytes[at] === LARGE_E) {
      const sign = bytes[++at]
      if (sign === MINUS || sign === PLUS) at += 1
      const first = at
      let power = 0
      for (let byte = bytes[at]!; byte >= ZERO && byte <= NINE; byte = bytes[++at]!)
        power = power * 10 + byte - ZERO
      if (at === first) return -1
      exponent += sign === MINUS ? -power : power
    }
    const nearest =
      whole + fraction <= HIGH_DIGITS
        ? fromDecimal(value, 0, 0, exponent)
        : ofManyDigits(bytes, from, digitsEnd, exponent)
    this.#number = Number.isNaN(nearest) ? Number(latin1(bytes, from, at)) : nearest
    return at
  }

  /** `2026-11-23T10:20:30Z` or with three digits of milliseconds, up to its quote. */
  #readTime(bytes: Uint8Array, at: number): number {
    const hour = two(bytes, at + 11)
    const minute = two(bytes, at + 14)
    const second = two(bytes, at + 17)
    const day = this.#readDay(bytes, at)
    const ok =
      day !== NO_DAY &&
      bytes[at + 10] === 0x54 &&
      bytes[at + 13] === COLON &&
      bytes[at + 16] === COLON &&
      hour >= 0 &&
      hour <= 23 &&
      minute >= 0 &&
      minute <= 59 &&
      second >= 0 &&
      second <= 59
    if (!ok) return -1
    let end = at + 19
    let ms = 0
    if (bytes[end] === DOT) {
      ms = two(bytes, end + 1) * 10 + digit(bytes, end + 3)
      if (ms < 0) return -1
      end += 4
    }
    if (bytes[end] !== 0x5a || bytes[end + 1] !== QUOTE) return -1
    this.timeMs = day * DAY_MS + ((hour * 60 + minute) * 60 + second) * 1_000 + ms
    return end + 2
  }

  /** Days since 1970 of `2026-11-23`; `NO_DAY` when it is none. */
  #readDay(bytes: Uint8Array, at: number): number {
    const year = two(bytes, at) * 100 + two(bytes, at + 2)
    const month = two(bytes, at + 5)
    const day = two(bytes, at + 8)
    if (bytes[at + 4] !== MINUS || bytes[at + 7] !== MINUS) return NO_DAY
    // One day follows the other for a whole day.
    const date = (year * 100 + month) * 100 + day
    if (date === this.#date) return this.#day
    const exists = year >= 0 && month >= 1 && month <= 12 && day >= 1 && day <= daysOf(year, month)
    if (!exists) return NO_DAY
    this.#date = date
    this.#day = daysSince1970(year, month, day)
    return this.#day
  }
}

/** A number of more digits than a double surely holds; NaN when `Number` must say. */
function ofManyDigits(bytes: Uint8Array, from: number, to: number, exponent: number): number {
  let high = 0
  let low = 0
  let digits = 0
  for (let at = from; at < to; at++) {
    const byte = bytes[at]!
    if (byte === DOT || (digits === 0 && byte === ZERO)) continue
    digits += 1
    if (digits <= HIGH_DIGITS) high = high * 10 + byte - ZERO
    else low = low * 10 + byte - ZERO
  }
  const lowDigits = Math.max(0, digits - HIGH_DIGITS)
  return lowDigits > LOW_DIGITS ? Number.NaN : fromDecimal(high, low, lowDigits, exponent)
}

function skip(bytes: Uint8Array, from: number): number {
  let at = from
  for (let byte = bytes[at]!; byte <= SPACE; byte = bytes[++at]!)
    if (byte !== SPACE && byte !== TAB && byte !== RETURN) break
  return at
}

function isNamed(bytes: Uint8Array, at: number, name: Uint8Array): boolean {
  for (let i = 0; i < name.length; i++) if (bytes[at + i] !== name[i]) return false
  return bytes[at + name.length] === QUOTE
}

/** Far below zero where there is no digit, so that whatever is made of it is too. */
function digit(bytes: Uint8Array, at: number): number {
  const byte = bytes[at]!
  return byte >= ZERO && byte <= NINE ? byte - ZERO : -10_000_000
}

function two(bytes: Uint8Array, at: number): number {
  return digit(bytes, at) * 10 + digit(bytes, at + 1)
}

const DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

function daysOf(year: number, month: number): number {
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
  return month === 2 && isLeap ? 29 : DAYS[month - 1]!
}

/** Howard Hinnant, chrono-Compatible Low-Level Date Algorithms: `days_from_civil`, for years from 0. */
function daysSince1970(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year
  const era = Math.floor(y / 400)
  const ofEra = y - era * 400
  const ofYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1
  return era * 146_097 + ofEra * 365 + Math.floor(ofEra / 4) - Math.floor(ofEra / 100) + ofYear - 719_468
}

function latin1(bytes: Uint8Array, from: number, to: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from).toString('latin1')
}
