import type { SketchColumn } from '../../schemas/cell-column.ts'
import { bucketOf } from '../../schemas/measures/buckets.ts'
import type { ByteReader } from './byte-reader.ts'
import type { ByteWriter } from './byte-writer.ts'
import { type PackedNumbers, type Run, readRuns } from './packed-numbers.ts'

/** The bucket of the value zero (`buckets.ts`), which is far from those of ordinary numbers. */
const ZERO_BUCKET = bucketOf(0)

/** A column of sketches as it lies in the index (`chunk-codec.ts`). */
export class Sketched {
  readonly lowest: number
  readonly buckets: PackedNumbers
  readonly counts: PackedNumbers
  /** What it takes in memory, about. */
  readonly bytes: number
  /** How many pairs each row has. */
  readonly #lengths: PackedNumbers
  readonly #rows: number
  #offsets: Uint32Array | null = null

  constructor(body: ByteReader, bodyBytes: number) {
    this.bytes = bodyBytes + 512
    this.#rows = body.u32()
    this.#lengths = body.numbers(this.#rows)
    const count = body.u32()
    this.lowest = body.f64()
    this.buckets = body.numbers(count)
    this.counts = body.numbers(count)
  }

  /** Of every row and of the end, where its pairs begin. */
  get offsets(): Uint32Array {
    if (this.#offsets === null) {
      const offsets = new Uint32Array(this.#rows + 1)
      this.#lengths.read(0, offsets.subarray(1))
      for (let i = 1; i < offsets.length; i++) offsets[i]! += offsets[i - 1]!
      this.#offsets = offsets
    }
    return this.#offsets
  }
}

/** The rows of some runs behind each other, `length` in all. */
export function readSketches(packed: Sketched, runs: readonly Run[], length: number): SketchColumn {
  const all = packed.offsets
  const offsets = new Uint32Array(length + 1)
  let row = 0
  for (const { from, to } of runs)
    for (let i = from; i < to; i++, row++) offsets[row + 1] = offsets[row]! + all[i + 1]! - all[i]!
  const pairs = runs.map(({ from, to }) => ({ from: all[from]!, to: all[to]! }))
  const buckets = readRuns(packed.buckets, pairs, new Int32Array(offsets[length]!))
  const above = packed.lowest - 1
  for (let at = 0; at < buckets.length; at++)
    buckets[at] = buckets[at] === 0 ? ZERO_BUCKET : buckets[at]! + above
  const counts = readRuns(packed.counts, pairs, new Float64Array(buckets.length))
  return { type: 'sketch', offsets, buckets, counts }
}

export function writeSketches(out: ByteWriter, { offsets, buckets, counts }: SketchColumn): void {
  const rows = offsets.length - 1
  const pairs = offsets[rows]!
  const lengths = new Float64Array(rows)
  for (let i = 0; i < rows; i++) lengths[i] = offsets[i + 1]! - offsets[i]!
  let lowest = Number.POSITIVE_INFINITY
  for (let at = 0; at < pairs; at++)
    if (buckets[at] !== ZERO_BUCKET && buckets[at]! < lowest) lowest = buckets[at]!
  out.u32(rows)
  out.numbers(lengths)
  out.u32(pairs)
  out.f64(lowest)
  const above = new Float64Array(pairs)
  for (let at = 0; at < pairs; at++) above[at] = buckets[at] === ZERO_BUCKET ? 0 : buckets[at]! - lowest + 1
  out.numbers(above)
  out.numbers(counts.slice(0, pairs))
}
