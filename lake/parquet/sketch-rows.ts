import type { SketchColumn } from '../../schemas/cell-column.ts'
import { pageOfPlaces, placesOf } from './byte-dictionary.ts'
import type { ChunkContent } from './column-chunk.ts'
import { deltaPacked } from './delta-packed.ts'

/** Rows of a column of sketches, as they are: an object a pair would take ten times their memory. */
export class SketchRows {
  readonly column: SketchColumn
  readonly from: number
  readonly to: number
  readonly [row: number]: never

  constructor(column: SketchColumn, from = 0, to = column.offsets.length - 1) {
    this.column = column
    this.from = from
    this.to = to
  }

  get length(): number {
    return this.to - this.from
  }

  slice(from: number, to: number): SketchRows {
    return new SketchRows(this.column, this.from + from, Math.min(this.to, this.from + to))
  }
}

/** The chunks of the buckets and of the counts; a row without pairs has one entry, in which neither is. */
export function sketchChunks(name: string, sketches: SketchRows): ChunkContent[] {
  const { column, from, to } = sketches
  const { offsets } = column
  const [first, end] = [offsets[from]!, offsets[to]!]
  let empty = 0
  for (let row = from; row < to; row++) if (offsets[row] === offsets[row + 1]) empty++
  const values = end - first + empty
  const repetition = new Uint8Array(values)
  const definition = new Uint8Array(values)
  let at = 0
  for (let row = from; row < to; row++) {
    const pairs = offsets[row + 1]! - offsets[row]!
    repetition.fill(1, at + 1, at + pairs)
    definition.fill(1, at, at + pairs)
    at += Math.max(1, pairs)
  }
  const both = { values, missing: empty, rows: to - from, repetition, definition }
  const path = [name, 'list', 'element']
  return [
    {
      ...both,
      path: [...path, 'bucket'],
      type: 'INT32',
      ...encodedBuckets(column.buckets.subarray(first, end)),
    },
    {
      ...both,
      path: [...path, 'count'],
      type: 'INT64',
      encoding: 'DELTA_BINARY_PACKED',
      page: deltaPacked(column.counts.subarray(first, end)),
    },
  ]
}

/** Values between 1 and 16 lie in 256 buckets. */
function encodedBuckets(buckets: Int32Array): Pick<ChunkContent, 'encoding' | 'page' | 'dictionary'> {
  const found = placesOf(buckets)
  if (found === null)
    return { encoding: 'DELTA_BINARY_PACKED', page: deltaPacked(Float64Array.from(buckets)) }
  return { encoding: 'RLE_DICTIONARY', page: pageOfPlaces(found.places), dictionary: found.values }
}
