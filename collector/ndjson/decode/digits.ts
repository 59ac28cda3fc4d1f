/** Far below zero where there is no digit, so that whatever is made of it is too. */
export function digit(bytes: Uint8Array, at: number): number {
  const value = bytes[at]! ^ 0x30
  return value <= 9 ? value : -10_000_000
}

export function two(bytes: Uint8Array, at: number): number {
  return digit(bytes, at) * 10 + digit(bytes, at + 1)
}
