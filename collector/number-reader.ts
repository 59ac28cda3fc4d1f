import { EXACT_POWERS, fromDecimal, HIGH_DIGITS, LOW_DIGITS } from './decimal.ts'

const [ZERO, NINE, DOT, PLUS, MINUS, SMALL_E, LARGE_E] = [0x30, 0x39, 0x2e, 0x2b, 0x2d, 0x65, 0x45] as const

/** Reads numbers as JSON has them, but for the sign: nothing here may be negative. */
export class NumberReader {
  /** The number read last. */
  value = 0

  /** Reads the number at `from`; where it ends, −1 when there is none. */
  read(view: DataView, from: number): number {
    let at = from
    let value = 0
    let byte = view.getUint8(at)
    for (; byte >= ZERO && byte <= NINE; byte = view.getUint8(++at)) value = value * 10 + byte - ZERO
    const whole = at - from
    if (whole === 0 || (whole > 1 && view.getUint8(from) === ZERO)) return -1
    let fraction = 0
    if (byte === DOT) {
      const first = ++at
      for (byte = view.getUint8(at); byte >= ZERO && byte <= NINE; byte = view.getUint8(++at))
        value = value * 10 + byte - ZERO
      fraction = at - first
      if (fraction === 0) return -1
    }
    if (byte === SMALL_E || byte === LARGE_E || whole + fraction > HIGH_DIGITS)
      return this.#readLong(view, from, at, fraction)
    // Both are doubles exactly, so that one rounding is right (Clinger 1990).
    this.value = fraction === 0 ? value : value / EXACT_POWERS[fraction]!
    return at
  }

  /** A number with an exponent or with many digits, those from `from` to `digitsEnd`, so many behind the dot. */
  #readLong(view: DataView, from: number, digitsEnd: number, fraction: number): number {
    let at = digitsEnd
    let exponent = -fraction
    const mark = view.getUint8(at)
    if (mark === SMALL_E || mark === LARGE_E) {
      const sign = view.getUint8(++at)
      if (sign === MINUS || sign === PLUS) at += 1
      const first = at
      let power = 0
      for (let byte = view.getUint8(at); byte >= ZERO && byte <= NINE; byte = view.getUint8(++at))
        power = power * 10 + byte - ZERO
      if (at === first) return -1
      exponent += sign === MINUS ? -power : power
    }
    const nearest = nearestOf(view, from, digitsEnd, exponent)
    this.value = Number.isNaN(nearest) ? Number(latin1(view, from, at)) : nearest
    return at
  }
}

/** The number that the digits from `from` to `to` say, times a power of ten; NaN when `Number` must say. */
function nearestOf(view: DataView, from: number, to: number, exponent: number): number {
  let high = 0
  let low = 0
  let digits = 0
  for (let at = from; at < to; at++) {
    const byte = view.getUint8(at)
    if (byte === DOT || (digits === 0 && byte === ZERO)) continue
    digits += 1
    if (digits <= HIGH_DIGITS) high = high * 10 + byte - ZERO
    else low = low * 10 + byte - ZERO
  }
  const lowDigits = Math.max(0, digits - HIGH_DIGITS)
  return lowDigits > LOW_DIGITS ? Number.NaN : fromDecimal(high, low, lowDigits, exponent)
}

function latin1(view: DataView, from: number, to: number): string {
  return Buffer.from(view.buffer, view.byteOffset + from, to - from).toString('latin1')
}
