import { EXACT_POWERS, fromDecimal, HIGH_DIGITS, LOW_DIGITS } from './decimal.ts'
import type { LineBuffer } from './line-buffer.ts'

const [ZERO, NINE, DOT, PLUS, MINUS, SMALL_E, LARGE_E] = [0x30, 0x39, 0x2e, 0x2b, 0x2d, 0x65, 0x45] as const
/** Digits that fit into 32 bits. */
export const SHORT_DIGITS = 9

/** Reads numbers of JSON that are not negative. */
export class NumberReader {
  readonly #bytes: Uint8Array
  /** The number read last. */
  value = 0

  constructor({ bytes }: LineBuffer) {
    this.#bytes = bytes
  }

  /** Reads the number at `from`. Returns where it ends, −1 when there is none. */
  read(from: number): number {
    const bytes = this.#bytes
    let at = from
    let digits = 0
    // Anything but a digit becomes more than nine.
    let byte = bytes[at]! ^ ZERO
    for (; byte <= 9; byte = bytes[++at]! ^ ZERO) digits = (Math.imul(digits, 10) + byte) | 0
    const whole = at - from
    let fraction = 0
    if (bytes[at] === DOT) {
      byte = bytes[++at]! ^ ZERO
      for (; byte <= 9; byte = bytes[++at]! ^ ZERO) digits = (Math.imul(digits, 10) + byte) | 0
      fraction = at - from - whole - 1
      if (fraction === 0) return -1
    }
    if (whole === 0 || (whole > 1 && bytes[from] === ZERO)) return -1
    const end = bytes[at]!
    if (whole + fraction > SHORT_DIGITS || end === SMALL_E || end === LARGE_E)
      return this.#readLong(from, at, fraction)
    // Both are doubles exactly, so that one rounding is right (Clinger 1990).
    this.value = digits / EXACT_POWERS[fraction]!
    return at
  }

  /** Reads a number with many digits, from `from` to `digitsEnd`, `fraction` of them behind the dot, or with an exponent. */
  #readLong(from: number, digitsEnd: number, fraction: number): number {
    const bytes = this.#bytes
    let at = digitsEnd
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
    const nearest = nearestOf(bytes, from, digitsEnd, exponent)
    this.value = Number.isNaN(nearest) ? Number(latin1(bytes, from, at)) : nearest
    return at
  }
}

/** Returns the number whose digits stand from `from` to `to`, times a power of ten; NaN when it is one for `Number`. */
function nearestOf(bytes: Uint8Array, from: number, to: number, exponent: number): number {
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

function latin1(bytes: Uint8Array, from: number, to: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from).toString('latin1')
}
