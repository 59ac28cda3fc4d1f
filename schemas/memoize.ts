/** `make`, which is asked for each object once: what it made is kept as long as the object is. For what never changes, and is asked for often. */
export function memoize<K extends object, V extends NonNullable<unknown> | null>(
  make: (of: K) => V,
): (of: K) => V {
  const made = new WeakMap<K, V>()
  return (of) => {
    let value = made.get(of)
    if (value === undefined) {
      value = make(of)
      made.set(of, value)
    }
    return value
  }
}
