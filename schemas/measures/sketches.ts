import type { CellColumn, SketchColumn } from '../cell-column.ts'
import { grown } from '../grown.ts'
import { BUCKETS_END, bucketOf } from './buckets.ts'
import { type Accumulator, reserved } from './measure.ts'

/** So many pairs wait at least before they are added up. */
const WAITING_MIN = 4_096
/** Room for so many is made at first: most answers have few. */
const WAITING_FIRST = 256
/** A sketch of so many pairs is not copied to wait: it is held until its row is added up. */
const BULK_MIN = 16
/** So many pairs of sketches are held at most, for what they are part of stays in memory. */
const HELD_PAIRS_MAX = 1 << 18
/** Room for so many settled pairs at least: as many as most answers have. */
const PAIRS_MIN = 128
/** A bucket in so many between the lowest and the highest: then to look at all is quicker than to sort. */
const SPARSE = 32

/**
 * Sketches of rows. What is added waits in a list of its row, and once there is enough, or someone asks, each list is added up:
 *
 *     fold, merge ─▶ waiting pairs and held sketches, per row a list ──settle──▶ per row its pairs, buckets ascending, side by side
 *
 * Rows of cells that go to the same row at once, as those of one answer do, are added up without waiting.
 *
 * So a value costs a few writes into memory that is at hand, wherever the pairs of its row lie; and since as many wait as half of
 * those that are settled, a pair is settled again a few times at most.
 */
export class Sketches implements Accumulator {
  /** Waiting pairs. */
  #waiting = 0
  #waitingBuckets = new Int32Array()
  #waitingCounts = new Float64Array()
  /** The pair of the same row that came before, plus one; 0 for the first. */
  #before = new Int32Array()
  /** Per row the pair that came last, plus one; 0 where none waits. */
  #last = new Int32Array()
  /** Sketches of cells that wait as they are. */
  #held: Held[] = []
  #heldPairs = 0
  /** Per row the place of the one that came last, plus one; 0 for none. */
  #lastHeld = new Int32Array()
  /** Rows with waiting pairs or held sketches. */
  #touched = new Int32Array(8)
  #touchedRows = 0

  /** Settled pairs; those that no row has any more lie between. */
  #buckets = new Int32Array()
  #counts = new Float64Array()
  #end = 0
  #unused = 0
  /** Per row where its pairs begin, and how many there are. */
  #begins = new Int32Array()
  #lengths = new Int32Array()

  reserve(rows: number): void {
    this.#last = reserved(this.#last, rows)
    this.#lastHeld = reserved(this.#lastHeld, rows)
    this.#begins = reserved(this.#begins, rows)
    this.#lengths = reserved(this.#lengths, rows)
  }

  fold(rows: Int32Array, n: number, values: Float64Array): void {
    this.#makeRoom(n)
    for (let i = 0; i < n; i++) {
      const value = values[i]!
      if (rows[i]! >= 0 && !Number.isNaN(value)) this.#wait(rows[i]!, bucketOf(value), 1)
    }
  }

  merge(rows: Int32Array, columns: readonly CellColumn[], from: number, to: number): void {
    const { offsets, buckets, counts } = columns[0] as SketchColumn
    for (let i = from, next = from; i < to; i = next) {
      const row = rows[i - from]!
      next = i + 1
      while (next < to && rows[next - from] === row) next++
      const [first, end] = [offsets[i]!, offsets[next]!]
      const isBulk = end - first >= BULK_MIN
      if (isBulk && next - i > 1) this.#addAll(row, buckets, counts, first, end)
      else if (isBulk) this.#hold(row, { buckets, counts, first, end, before: this.#lastHeld[row]! })
      else {
        this.#makeRoom(end - first)
        for (let at = first; at < end; at++) this.#wait(row, buckets[at]!, counts[at]!)
      }
    }
  }

  /** Adds pairs, buckets in any order, to those of a row that are settled. */
  #addAll(row: number, buckets: Int32Array, counts: Float64Array, first: number, end: number): void {
    const [begin, length] = [this.#begins[row]!, this.#lengths[row]!]
    sum.begin()
    for (let at = begin; at < begin + length; at++) sum.add(this.#buckets[at]!, this.#counts[at]!)
    for (let at = first; at < end; at++) sum.add(buckets[at]!, counts[at]!)
    this.#putSum(row)
    this.#tidy()
  }

  #hold(row: number, held: Held): void {
    this.#touch(row)
    this.#lastHeld[row] = this.#held.push(held)
    this.#heldPairs += held.end - held.first
    if (this.#heldPairs > HELD_PAIRS_MAX) this.#settle()
  }

  /** Notes that something of a row waits from now on. */
  #touch(row: number): void {
    if (this.#last[row] !== 0 || this.#lastHeld[row] !== 0) return
    if (this.#touchedRows === this.#touched.length) this.#touched = grown(this.#touched)
    this.#touched[this.#touchedRows++] = row
  }

  /** Gives a row without settled pairs these. */
  #putAll(row: number, { buckets, counts, first, end }: Held): void {
    this.#put(row, end - first)
    const begin = this.#begins[row]! - first
    for (let at = first; at < end; at++) {
      this.#buckets[begin + at] = buckets[at]!
      this.#counts[begin + at] = counts[at]!
    }
  }

  /** For so many more waiting pairs. */
  #makeRoom(pairs: number): void {
    if (this.#waiting + pairs <= this.#waitingBuckets.length) return
    if (this.#waiting >= Math.max(WAITING_MIN, (this.#end - this.#unused) / 2)) this.#settle()
    const wanted = this.#waiting + pairs
    if (wanted <= this.#waitingBuckets.length) return
    const room = wanted <= WAITING_FIRST ? WAITING_FIRST : Math.max(WAITING_MIN, wanted)
    this.#waitingBuckets = grown(this.#waitingBuckets, room)
    this.#waitingCounts = grown(this.#waitingCounts, room)
    this.#before = grown(this.#before, room)
  }

  #wait(row: number, bucket: number, count: number): void {
    const pair = this.#waiting++
    const last = this.#last[row]!
    if (last === 0) this.#touch(row)
    this.#waitingBuckets[pair] = bucket
    this.#waitingCounts[pair] = count
    this.#before[pair] = last
    this.#last[row] = pair + 1
  }

  /** Adds up what waits. */
  #settle(): void {
    for (let i = 0; i < this.#touchedRows; i++) this.#settleRow(this.#touched[i]!)
    this.#touchedRows = 0
    this.#waiting = 0
    this.#held = []
    this.#heldPairs = 0
    this.#tidy()
  }

  #tidy(): void {
    if (this.#unused > this.#end / 2 && this.#unused > WAITING_MIN) this.#compact()
  }

  #settleRow(row: number): void {
    const [begin, length] = [this.#begins[row]!, this.#lengths[row]!]
    const last = this.#last[row]! - 1
    const held = this.#lastHeld[row]!
    this.#last[row] = 0
    this.#lastHeld[row] = 0
    if (length === 0 && last < 0 && this.#held[held - 1]!.before === 0) {
      this.#putAll(row, this.#held[held - 1]!)
      return
    }
    if (length === 0 && held === 0 && this.#before[last] === 0) {
      this.#put(row, 1)
      this.#buckets[this.#begins[row]!] = this.#waitingBuckets[last]!
      this.#counts[this.#begins[row]!] = this.#waitingCounts[last]!
      return
    }
    sum.begin()
    for (let at = begin; at < begin + length; at++) sum.add(this.#buckets[at]!, this.#counts[at]!)
    for (let pair = last; pair >= 0; pair = this.#before[pair]! - 1)
      sum.add(this.#waitingBuckets[pair]!, this.#waitingCounts[pair]!)
    for (let place = held; place > 0; place = this.#held[place - 1]!.before) {
      const { buckets, counts, first, end } = this.#held[place - 1]!
      for (let at = first; at < end; at++) sum.add(buckets[at]!, counts[at]!)
    }
    this.#putSum(row)
  }

  /** Gives a row what was added up, in the place of what it had. */
  #putSum(row: number): void {
    const [begin, length] = [this.#begins[row]!, this.#lengths[row]!]
    if (sum.size !== length) {
      // What stands last grows where it stands.
      if (begin + length === this.#end) this.#end = begin
      else this.#unused += length
      this.#put(row, sum.size)
    }
    sum.take(this.#buckets, this.#counts, this.#begins[row]!)
  }

  /** Gives a row a place for `length` pairs. */
  #put(row: number, length: number): void {
    if (this.#end + length > this.#buckets.length) {
      // Of most rows there is one at least.
      const room = Math.max(PAIRS_MIN, this.#lengths.length, this.#end + length)
      this.#buckets = grown(this.#buckets, room)
      this.#counts = grown(this.#counts, room)
    }
    this.#begins[row] = this.#end
    this.#lengths[row] = length
    this.#end += length
  }

  /** Moves the pairs together. */
  #compact(): void {
    const [buckets, counts] = [this.#buckets, this.#counts]
    const room = this.#end - this.#unused
    this.#buckets = new Int32Array(room)
    this.#counts = new Float64Array(room)
    this.#end = 0
    this.#unused = 0
    for (let row = 0; row < this.#lengths.length; row++) {
      const [begin, length] = [this.#begins[row]!, this.#lengths[row]!]
      if (length === 0) continue
      this.#buckets.set(buckets.subarray(begin, begin + length), this.#end)
      this.#counts.set(counts.subarray(begin, begin + length), this.#end)
      this.#begins[row] = this.#end
      this.#end += length
    }
  }

  take(rows: Uint32Array): CellColumn[] {
    this.#settle()
    const offsets = new Uint32Array(rows.length + 1)
    for (let i = 0; i < rows.length; i++) offsets[i + 1] = offsets[i]! + this.#lengths[rows[i]!]!
    const buckets = new Int32Array(offsets[rows.length]!)
    const counts = new Float64Array(buckets.length)
    for (let i = 0, at = 0; i < rows.length; i++) {
      const begin = this.#begins[rows[i]!]!
      const end = begin + this.#lengths[rows[i]!]!
      for (let pair = begin; pair < end; pair++, at++) {
        buckets[at] = this.#buckets[pair]!
        counts[at] = this.#counts[pair]!
      }
    }
    return [{ type: 'sketch', offsets, buckets, counts }]
  }
}

/** A sketch of cells, buckets ascending, that waits. */
interface Held {
  readonly buckets: Int32Array
  readonly counts: Float64Array
  readonly first: number
  readonly end: number
  /** The place, plus one, of that of the same row that came before; 0 for the first. */
  readonly before: number
}

/** Counts by bucket of one row at a time, a place for each bucket that there is. */
class BucketSum {
  /** Zeros between two rows. */
  #counts = new Float64Array()
  #found = new Int32Array(1_024)
  size = 0
  #lowest = 0
  #highest = 0

  begin(): void {
    if (this.#counts.length === 0) this.#counts = new Float64Array(2 * BUCKETS_END)
    this.size = 0
    this.#lowest = BUCKETS_END
    this.#highest = -BUCKETS_END
  }

  add(bucket: number, count: number): void {
    const place = bucket + BUCKETS_END
    const before = this.#counts[place]!
    this.#counts[place] = before + count
    if (before !== 0) return
    if (this.size === this.#found.length) this.#found = grown(this.#found)
    this.#found[this.size++] = bucket
    if (bucket < this.#lowest) this.#lowest = bucket
    if (bucket > this.#highest) this.#highest = bucket
  }

  /** Writes the pairs from `at` on, buckets ascending, and forgets them. */
  take(buckets: Int32Array, counts: Float64Array, at: number): void {
    let to = at
    const put = (bucket: number) => {
      const place = bucket + BUCKETS_END
      buckets[to] = bucket
      counts[to++] = this.#counts[place]!
      this.#counts[place] = 0
    }
    if (this.#highest - this.#lowest < SPARSE * this.size) {
      for (let bucket = this.#lowest; bucket <= this.#highest; bucket++)
        if (this.#counts[bucket + BUCKETS_END] !== 0) put(bucket)
    } else for (const bucket of this.#found.subarray(0, this.size).sort()) put(bucket)
  }
}

/** One for all: it holds nothing between two rows, and its places are many. */
const sum = new BucketSum()
