type Numbers = Float64Array | Int32Array | Uint32Array | Uint16Array | Uint8Array

/** `values` in memory for at least `length`, and for twice as many as before; behind what was there are zeros. */
export function grown<T extends Numbers>(values: T, length = 0): T {
  const more = new (values.constructor as new (length: number) => T)(Math.max(length, 2 * values.length))
  more.set(values)
  return more
}
