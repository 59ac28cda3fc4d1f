import { ByteWriter } from 'hyparquet-writer'
import { writeRleBitPackedHybrid } from 'hyparquet-writer/src/encoding.js'

/** Values that a place of one byte can tell apart. */
const VALUES_MAX = 256

/** Different values of a column of numbers, and the place of each value among them, without those that are missing. */
export interface Places {
  readonly values: readonly number[]
  readonly places: Uint8Array
  /** 1 where there is a value, 0 where it is missing. */
  readonly levels: Uint8Array
}

/** Null when there are too many different values. */
export function placesOf(data: ArrayLike<number | null>): Places | null {
  const placeOf = new Map<number, number>()
  const places = new Uint8Array(data.length)
  const levels = new Uint8Array(data.length)
  let present = 0
  for (let i = 0; i < data.length; i++) {
    const value = data[i]!
    if (value === null) continue
    let place = placeOf.get(value)
    if (place === undefined) {
      if (placeOf.size === VALUES_MAX) return null
      place = placeOf.size
      placeOf.set(value, place)
    }
    places[present++] = place
    levels[i] = 1
  }
  // A dictionary that holds about as much as the column is none.
  if (present < 2 * placeOf.size) return null
  return { values: [...placeOf.keys()], places: places.subarray(0, present), levels }
}

/**
 * The places as a page, each a whole byte. A dictionary of 101 values needs 7 bits only, but in those zstd, which sees bytes, finds no value
 * that comes again: a walk takes a third more. Readers are told the width, as always.
 */
export function pageOfPlaces(places: Uint8Array): Uint8Array {
  const page = new ByteWriter()
  page.appendUint8(8)
  writeRleBitPackedHybrid(page, places, 8)
  return page.getBytes()
}
