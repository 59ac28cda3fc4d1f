/**
 * Strings of many rows: each distinct one once, and per row its place among them. The dictionary may hold strings that
 * no row has.
 */
export interface StringColumn<T extends string | null = string> {
  readonly dictionary: readonly T[]
  readonly places: Uint16Array | Uint32Array
}

/** The string of row `i`. */
export function stringAt<T extends string | null>({ dictionary, places }: StringColumn<T>, i: number): T {
  return dictionary[places[i]!]!
}

/** Lays strings out as a column. */
export function toStringColumn<T extends string | null>(values: readonly T[]): StringColumn<T> {
  const placeOf = new Map<T, number>()
  const places = new Uint32Array(values.length)
  for (let i = 0; i < values.length; i++) {
    let place = placeOf.get(values[i]!)
    if (place === undefined) {
      place = placeOf.size
      placeOf.set(values[i]!, place)
    }
    places[i] = place
  }
  return { dictionary: [...placeOf.keys()], places }
}

/** A column in which every row has the same string. */
export function constantColumn<T extends string | null>(value: T, length: number): StringColumn<T> {
  return { dictionary: [value], places: new Uint16Array(length) }
}
