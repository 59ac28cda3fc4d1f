/** The powers of ten that are exact as doubles. */
export const EXACT_POWERS = Float64Array.from({ length: 23 }, (_, i) => Number(`1e${i}`))

/** Decimal digits of `high` and of `low` below. */
export const HIGH_DIGITS = 15
export const LOW_DIGITS = 4

/** Splits a double into two of 26 bits: Veltkamp, see Dekker 1971, A floating-point technique for extending the precision. */
const SPLITTER = 2 ** 27 + 1
/** Far above the error of a quotient in doubled precision, about 2⁻¹⁰⁰ of it, and far below half a unit in the last place. */
const ERROR = 2 ** -90

/**
 * Returns the double nearest to `(high · 10^lowDigits + low) · 10^exponent`, ties to even: what `Number` gives for these digits.
 * NaN where that takes more than a few steps: the caller then asks `Number`.
 *
 * Up to 15 digits and powers up to 10²² both are doubles, so one rounding of one operation is right (Clinger 1990). With up
 * to 19 digits the quotient is computed in doubled precision and taken only if its error cannot matter.
 */
export function fromDecimal(high: number, low: number, lowDigits: number, exponent: number): number {
  if (exponent < -22 || exponent > 22) return Number.NaN
  if (lowDigits === 0) return exponent < 0 ? high / EXACT_POWERS[-exponent]! : high * EXACT_POWERS[exponent]!
  if (exponent > 0) return Number.NaN
  const shift = EXACT_POWERS[lowDigits]!
  const product = high * shift
  const sum = product + low
  const rest = productError(high, shift, product) + (low - (sum - product))
  const divisor = EXACT_POWERS[-exponent]!
  const quotient = sum / divisor
  const back = quotient * divisor
  const correction = (sum - back - productError(quotient, divisor, back) + rest) / divisor
  const error = quotient * ERROR
  const value = quotient + (correction - error)
  return value === quotient + (correction + error) ? value : Number.NaN
}

/** Returns what `product`, the rounded `a · b`, lacks of the exact one. */
function productError(a: number, b: number, product: number): number {
  const aScaled = a * SPLITTER
  const aHigh = aScaled - (aScaled - a)
  const aLow = a - aHigh
  const bScaled = b * SPLITTER
  const bHigh = bScaled - (bScaled - b)
  const bLow = b - bHigh
  return aHigh * bHigh - product + aHigh * bLow + aLow * bHigh + aLow * bLow
}
