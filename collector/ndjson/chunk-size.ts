const NEWLINE = 0x0a
/**
 * Bytes taken between two looks at the limits. A refused line costs most, and the shortest is one byte: less is taken at a
 * time of a sender that is not known to send good ones.
 */
const PART_BYTES = 8_192
const DOUBTED_PART_BYTES = 64

/** Returns how many of `bytes` to take before the limits are looked at: up to a newline if possible, as a cut line is copied. */
export function partBytes(bytes: Uint8Array, trusted: boolean): number {
  const max = trusted ? PART_BYTES : DOUBTED_PART_BYTES
  return bytes.length <= max ? bytes.length : bytes.subarray(0, max).lastIndexOf(NEWLINE) + 1 || max
}

/** Returns how many of `bytes` belong to the first line. */
export function lineBytes(bytes: Uint8Array): number {
  return bytes.indexOf(NEWLINE) + 1 || bytes.length
}
