/** Far below zero where there is no digit, so that whatever is made of it is too. */
export function digit(view: DataView, at: number): number {
  const byte = view.getUint8(at)
  return byte >= 0x30 && byte <= 0x39 ? byte - 0x30 : -10_000_000
}

export function two(view: DataView, at: number): number {
  return digit(view, at) * 10 + digit(view, at + 1)
}
