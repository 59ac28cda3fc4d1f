import { grown } from '../../schemas/grown.ts'
import type { StringColumn } from '../../schemas/string-column.ts'

/** Rows for which a column that is being gathered has room at first. */
export const ROWS_FIRST = 1_024

/** A column of strings that is being gathered from columns with dictionaries of their own. */
export class StringDraft<T extends string | null> {
  readonly #placeOf = new Map<T, number>()
  #places = new Uint32Array(ROWS_FIRST)
  #length = 0

  /** Adds the strings `[from, to)` of `column`. */
  add({ dictionary, places }: StringColumn<T>, from: number, to: number): void {
    const placeHere: number[] = []
    const length = this.#length + to - from
    if (length > this.#places.length) this.#places = grown(this.#places, length)
    for (let i = from; i < to; i++) {
      const there = places[i]!
      let place = placeHere[there]
      if (place === undefined) {
        place = this.#placeOfString(dictionary[there]!)
        placeHere[there] = place
      }
      this.#places[this.#length++] = place
    }
  }

  #placeOfString(value: T): number {
    let place = this.#placeOf.get(value)
    if (place === undefined) {
      place = this.#placeOf.size
      this.#placeOf.set(value, place)
    }
    return place
  }

  column(): StringColumn<T> {
    return { dictionary: [...this.#placeOf.keys()], places: this.#places.subarray(0, this.#length) }
  }
}
