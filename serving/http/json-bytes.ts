import { ANSWER_MS_MAX, ANSWER_MS_MIN, DAY_MS, HOUR_MS, MINUTE_MS } from '../../schemas/time.ts'
import { iso, rounded } from './present.ts'

/** Decimals that are looked for: gauges have two mostly, and what has more than six is written as a text. */
const DECIMALS_MAX = 6
/** Below it V8 holds a whole number in a register or a pointer, and needs no memory for it. */
const WHOLE_END = 2 ** 30
const UNITS = Array.from({ length: DECIMALS_MAX + 1 }, (_, decimals) => 10 ** decimals)
/** The most bytes that a number takes: `-1.2345678901234567e-300`. */
const NUMBER_BYTES_MAX = 24
/** `"2026-11-22T10:00:00.123Z"`, and where its hours begin. */
const TIME_BYTES = 26
const HOURS_AT = 12

const [ZERO, COMMA, DOT, MINUS] = [0x30, 0x2c, 0x2e, 0x2d] as const

/**
 * JSON of long columns as the bytes that are sent. As texts they would be made, joined and encoded, each time anew: of a day by minutes
 * twenty times as much memory as the answer has.
 */
export class JsonBytes {
  #bytes: Buffer
  #length = 0

  /** With room for about so many bytes. */
  constructor(bytes: number) {
    this.#bytes = Buffer.allocUnsafe(bytes)
  }

  /** JSON as it stands. */
  text(json: string): void {
    this.#reserve(3 * json.length)
    this.#length += this.#bytes.write(json, this.#length)
  }

  /** A list of `length` numbers, as answers write them: those at the ascending `places`; null at others, and of NaN. */
  numbers(values: Float64Array, places: Uint32Array, length: number): void {
    this.#reserve((NUMBER_BYTES_MAX + 1) * length + 2)
    this.#ascii('[')
    for (let place = 0, i = 0; place < length; place++) {
      if (place > 0) this.#bytes[this.#length++] = COMMA
      if (places[i] === place) this.#number(values, i++)
      else this.#ascii('null')
    }
    this.#ascii(']')
  }

  /** Times as ISO 8601. */
  times(values: readonly number[]): void {
    this.#reserve((TIME_BYTES + 1) * values.length + 2)
    this.#ascii('[')
    let day = Number.NaN
    for (let i = 0; i < values.length; i++) {
      const ms = values[i]!
      if (i > 0) this.#bytes[this.#length++] = COMMA
      // What cannot be written is of no day.
      const own = ms >= ANSWER_MS_MIN && ms <= ANSWER_MS_MAX ? Math.floor(ms / DAY_MS) : Number.NaN
      if (own === day) this.#timeOfSameDay(Math.floor(ms - own * DAY_MS) | 0)
      else this.#ascii(`"${iso(ms)}"`)
      day = own
    }
    this.#ascii(']')
  }

  /** How much is written so far. */
  get length(): number {
    return this.#length
  }

  /** Once more what was written from `from` to `to`. */
  again(from: number, to: number): void {
    this.#reserve(to - from)
    this.#bytes.copyWithin(this.#length, from, to)
    this.#length += to - from
  }

  /** What was written; nothing may be written behind it. */
  take(): Buffer {
    return this.#bytes.subarray(0, this.#length)
  }

  #reserve(length: number): void {
    if (this.#length + length <= this.#bytes.length) return
    const more = Buffer.allocUnsafe(Math.max(this.#length + length, 2 * this.#bytes.length))
    this.#bytes.copy(more, 0, 0, this.#length)
    this.#bytes = more
  }

  #ascii(text: string): void {
    for (let i = 0; i < text.length; i++) this.#bytes[this.#length++] = text.charCodeAt(i)
  }

  /**
   * A decimal of at most 15 digits that is this very double is the shortest text of it, since no two such decimals are the same double:
   * what JavaScript writes, and rounded already. The number is fetched here: to hand over a double takes memory.
   */
  #number(values: Float64Array, i: number): void {
    const value = values[i]!
    for (let decimals = 0; decimals <= DECIMALS_MAX; decimals++) {
      const unit = UNITS[decimals]!
      const whole = Math.round(value * unit)
      if (!(Math.abs(whole) < WHOLE_END)) break
      if (whole / unit !== value) continue
      if (whole < 0) this.#bytes[this.#length++] = MINUS
      this.#decimal(Math.abs(whole) | 0, decimals)
      return
    }
    this.#ascii(Number.isFinite(value) ? String(rounded(value)) : 'null')
  }

  /** `whole` / 10^`decimals`. */
  #decimal(whole: number, decimals: number): void {
    const bytes = this.#bytes
    let digits = 1
    for (let above = 10; above <= whole; above *= 10) digits++
    digits = Math.max(digits, decimals + 1)
    const end = this.#length + digits + (decimals > 0 ? 1 : 0)
    let rest = whole
    let at = end
    for (let i = 0; i < digits; i++) {
      if (i === decimals && i > 0) bytes[--at] = DOT
      const next = (rest / 10) | 0
      bytes[--at] = ZERO + rest - 10 * next
      rest = next
    }
    this.#length = end
  }

  /** The time behind one of the same day, which stands before the comma. */
  #timeOfSameDay(ms: number): void {
    const bytes = this.#bytes
    const from = this.#length - 1 - TIME_BYTES
    for (let i = 0; i < TIME_BYTES; i++) bytes[this.#length + i] = bytes[from + i]!
    const hours = this.#length + HOURS_AT
    this.#two(hours, (ms / HOUR_MS) | 0)
    this.#two(hours + 3, ((ms % HOUR_MS) / MINUTE_MS) | 0)
    const within = ms % MINUTE_MS
    this.#two(hours + 6, (within / 1_000) | 0)
    bytes[hours + 9] = ZERO + (((within % 1_000) / 100) | 0)
    this.#two(hours + 10, within % 100)
    this.#length += TIME_BYTES
  }

  #two(at: number, value: number): void {
    const tens = (value / 10) | 0
    this.#bytes[at] = ZERO + tens
    this.#bytes[at + 1] = ZERO + value - 10 * tens
  }
}
