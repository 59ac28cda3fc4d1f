/**
 * Logarithmic buckets, 64 an octave, computed from the double itself, so that every engine has the same ones: the binary
 * exponent and the first 6 bits of the mantissa. With e such that 2^e ≤ |x| < 2^(e+1),
 *
 *     bucket = (e + 1023) × 64 + floor((|x| / 2^e − 1) × 64)
 *
 * negated for negative x; 0 for zero and for what is smaller than the smallest normal double. A bucket's middle is less
 * than 0.8 % away from each of its values.
 */
export function bucketOf(value: number): number {
  double[0] = value
  const high = words[HIGH]!
  const bucket = (high & 0x7fffffff) >>> 14
  if (bucket < BUCKETS_AN_OCTAVE) return 0
  return high < 0 ? -bucket : bucket
}

/** The middle of a bucket. */
export function middleOf(bucket: number): number {
  if (bucket === 0) return 0
  // The bits that all of its values share, then a one.
  words[HIGH] = (Math.abs(bucket) << 14) | (1 << 13)
  words[1 - HIGH] = 0
  return bucket < 0 ? -double[0]! : double[0]!
}

export const BUCKETS_AN_OCTAVE = 64
export const EXPONENT_BIAS = 1023
/** Above every bucket: finite doubles have exponents up to 1023. */
export const BUCKETS_END = 2 * (EXPONENT_BIAS + 1) * BUCKETS_AN_OCTAVE

const double = new Float64Array(1)
const words = new Int32Array(double.buffer)
/** Where the word with sign and exponent lies. */
const HIGH = new Uint8Array(new Float64Array([-0]).buffer)[7] === 0x80 ? 1 : 0
