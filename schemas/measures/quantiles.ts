import type { CellColumn, SketchColumn } from '../cell-column.ts'
import { hashPair } from '../pair-table.ts'
import { bucketOf, middleOf } from './buckets.ts'
import { type Accumulator, type Measure, numbers, reserved } from './measure.ts'

/** The percentiles that answers tell. */
export const PERCENTILES = [50, 95, 99] as const

/**
 * How many values fell into each logarithmic bucket (`buckets.ts`), and of it percentiles: the value whose rank is
 * ceil(p × count / 100), as the middle of its bucket, kept within minimum and maximum. Counts are whole numbers, so
 * every order of adding gives the same.
 */
export const quantiles: Measure = {
  name: 'quantiles',
  columns: ({ gauge }) => [{ name: `${gauge}_sketch`, type: 'sketch', nullable: false, group: 'sketch' }],
  accumulator: () => new Sketches(),
  sql(dialect, prefix) {
    const [name, list] = [`${prefix}sketch`, `${prefix}list`]
    const made = (aggregate: string, result: string) => ({
      aggregates: [{ name: list, sql: aggregate }],
      results: [{ name, sql: result }],
    })
    return {
      map: ({ value }) => made(dialect.sortedList(dialect.bucket(value)), dialect.runs(list)),
      reduce: () => made(dialect.joinedRuns(name), dialect.addedRuns(list)),
      final: () => [name],
    }
  },
  fields: () => PERCENTILES.map((p) => ({ name: `p${p}`, type: 'double', nullable: true })),
  answer(of, i) {
    if (of.count(i) === 0) return PERCENTILES.map(() => null)
    const sketch = of.of('quantiles')![0] as SketchColumn
    const least = of.of('minimum')?.[0]
    const most = of.of('maximum')?.[1]
    const [min, max] = [
      least ? numbers(least)[i]! : Number.NEGATIVE_INFINITY,
      most ? numbers(most)[i]! : Number.POSITIVE_INFINITY,
    ]
    return PERCENTILES.map((p) => Math.min(max, Math.max(min, percentile(sketch, i, p))))
  },
}

/** The middle of the bucket that holds the `p`-th percentile of row `i`, which has at least one value. */
export function percentile({ offsets, buckets, counts }: SketchColumn, i: number, p: number): number {
  const [from, to] = [offsets[i]!, offsets[i + 1]!]
  let total = 0
  for (let at = from; at < to; at++) total += counts[at]!
  let rank = Math.max(1, Math.ceil((p * total) / 100))
  for (let at = from; at < to; at++) {
    rank -= counts[at]!
    if (rank <= 0) return middleOf(buckets[at]!)
  }
  return Number.NaN
}

const NONE = -1
/** Numbers of a slot: its row plus one, 0 while it is free; its bucket; its entry; one is unused. */
const SLOT = 4

/**
 * Counts by (row, bucket): entries in a hash table with linear probing, and those of a row in a list, so that a row is
 * read without a look at the others.
 */
class Sketches implements Accumulator {
  #slots = new Int32Array(64 * SLOT)
  #entries = 0
  #buckets = new Int32Array(32)
  #counts = new Float64Array(32)
  /** The entry of the same row made before; `NONE` for the first. */
  #next = new Int32Array(32)
  /** Per row its newest entry plus one; 0 where there is none. */
  #newest = new Int32Array()

  reserve(rows: number): void {
    this.#newest = reserved(this.#newest, rows, 0)
  }

  fold(rows: Int32Array, n: number, values: Float64Array): void {
    for (let i = 0; i < n; i++) {
      const value = values[i]!
      if (rows[i]! >= 0 && !Number.isNaN(value)) this.#add(rows[i]!, bucketOf(value), 1)
    }
  }

  merge(rows: Int32Array, columns: readonly CellColumn[], from: number, to: number): void {
    const { offsets, buckets, counts } = columns[0] as SketchColumn
    for (let i = from; i < to; i++) {
      const row = rows[i - from]!
      for (let at = offsets[i]!; at < offsets[i + 1]!; at++) this.#add(row, buckets[at]!, counts[at]!)
    }
  }

  #add(row: number, bucket: number, count: number): void {
    const slots = this.#slots
    const mask = slots.length - 1
    let slot = (hashPair(row, bucket) * SLOT) & mask
    for (let held = slots[slot]!; held !== 0; held = slots[slot]!) {
      if (held === row + 1 && slots[slot + 1] === bucket) {
        this.#counts[slots[slot + 2]!]! += count
        return
      }
      slot = (slot + SLOT) & mask
    }
    this.#enter(slot, row, bucket, count)
  }

  #enter(slot: number, row: number, bucket: number, count: number): void {
    const entry = this.#entries++
    if (entry === this.#buckets.length) this.#growEntries()
    this.#buckets[entry] = bucket
    this.#counts[entry] = count
    this.#next[entry] = this.#newest[row]! - 1
    this.#newest[row] = entry + 1
    this.#slots[slot] = row + 1
    this.#slots[slot + 1] = bucket
    this.#slots[slot + 2] = entry
    if (2 * SLOT * this.#entries > this.#slots.length) this.#growSlots()
  }

  #growEntries(): void {
    const room = 2 * this.#buckets.length
    this.#buckets = reserved(this.#buckets, room, 0)
    this.#counts = reserved(this.#counts, room, 0)
    this.#next = reserved(this.#next, room, 0)
  }

  #growSlots(): void {
    const old = this.#slots
    this.#slots = new Int32Array(2 * old.length)
    const mask = this.#slots.length - 1
    for (let from = 0; from < old.length; from += SLOT) {
      if (old[from] === 0) continue
      let slot = (hashPair(old[from]! - 1, old[from + 1]!) * SLOT) & mask
      while (this.#slots[slot] !== 0) slot = (slot + SLOT) & mask
      this.#slots[slot] = old[from]!
      this.#slots[slot + 1] = old[from + 1]!
      this.#slots[slot + 2] = old[from + 2]!
    }
  }

  take(rows: Uint32Array): CellColumn[] {
    const offsets = new Uint32Array(rows.length + 1)
    for (let i = 0; i < rows.length; i++) {
      let length = 0
      for (let entry = this.#newest[rows[i]!]! - 1; entry !== NONE; entry = this.#next[entry]!) length += 1
      offsets[i + 1] = offsets[i]! + length
    }
    const buckets = new Int32Array(offsets[rows.length]!)
    const counts = new Float64Array(buckets.length)
    for (let i = 0; i < rows.length; i++) this.#takeRow(rows[i]!, offsets[i]!, buckets, counts)
    return [{ type: 'sketch', offsets, buckets, counts }]
  }

  /** Writes the pairs of a row from `at` on, buckets ascending. */
  #takeRow(row: number, at: number, buckets: Int32Array, counts: Float64Array): void {
    const entries: number[] = []
    for (let entry = this.#newest[row]! - 1; entry !== NONE; entry = this.#next[entry]!) entries.push(entry)
    if (entries.length > 1) entries.sort((a, b) => this.#buckets[a]! - this.#buckets[b]!)
    for (let i = 0; i < entries.length; i++) {
      buckets[at + i] = this.#buckets[entries[i]!]!
      counts[at + i] = this.#counts[entries[i]!]!
    }
  }
}
