/** Far below zero where there is no digit, so that whatever is made of it is too. */
export function digit(bytes: Uint8Array, at: number): number {
  const byte = bytes[at]!
  return byte >= 0x30 && byte <= 0x39 ? byte - 0x30 : -10_000_000
}

export function two(bytes: Uint8Array, at: number): number {
  return digit(bytes, at) * 10 + digit(bytes, at + 1)
}
