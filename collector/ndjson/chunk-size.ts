const NEWLINE = 0x0a
/**
 * Bytes taken between two looks at the limits. A refused line costs most, and the shortest is one byte: of whoever is
 * not known to send good ones, less is taken at a time.
 */
const PART_BYTES = 8_192
const DOUBTED_PART_BYTES = 64

/** How much of `bytes` to take before the limits are looked at: best up to a newline, a line that is cut is copied. */
export function partBytes(bytes: Uint8Array, trusted: boolean): number {
  const max = trusted ? PART_BYTES : DOUBTED_PART_BYTES
  return bytes.length <= max ? bytes.length : bytes.subarray(0, max).lastIndexOf(NEWLINE) + 1 || max
}

/** How much of `bytes` belongs to the line that they begin with. */
export function lineBytes(bytes: Uint8Array): number {
  return bytes.indexOf(NEWLINE) + 1 || bytes.length
}
