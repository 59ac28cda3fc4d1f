/** Rows for which a column that is being gathered has room at first. */
export const ROWS_FIRST = 1_024

/** `values` in memory for at least so many, and for twice as many as before. */
export function grown<T extends Float64Array | Int32Array | Uint32Array>(values: T, length: number): T {
  const more = new (values.constructor as new (length: number) => T)(Math.max(length, 2 * values.length))
  more.set(values)
  return more
}
