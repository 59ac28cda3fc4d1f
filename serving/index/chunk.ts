import type { CellColumn, ColumnType } from '../../schemas/cell-column.ts'
import type { CellRange, Cells } from '../../schemas/cells.ts'
import { splitKey } from '../../schemas/key.ts'
import { placesIn } from '../../schemas/narrowed.ts'
import { constantColumn, type StringColumn, toStringColumn } from '../../schemas/string-column.ts'
import { placeOf } from '../../schemas/utf8.ts'
import type { View } from '../../schemas/view.ts'
import { viewColumns } from '../../schemas/view-columns.ts'
import type { ByteReader } from './byte-reader.ts'
import { type PackedNumbers, type Run, readRuns } from './packed-numbers.ts'
import { readSketches, type Sketched } from './sketched.ts'
import { writtenColumns } from './written-columns.ts'

interface PackedColumn {
  readonly numbers: PackedNumbers
  /** Of strings. */
  readonly dictionary: readonly (string | null)[] | null
}

/** So many rows stay decoded. More are decoded anew when they are asked for: that takes less than the memory is worth. */
const ROWS_KEPT_MAX = 1
/** Where each key has one row so many: questions about all ask for the days of a month at once, again and again. */
const KEYS_KEPT_MAX = 64

/** The sketches that lie beside a chunk, by their column in the view. */
export type SketchesOf = (column: number) => Sketched

/**
 * The rows of some keys at one level of a date, or of a part of it, as they lie in the index (`chunk-codec.ts`), key by key and each in
 * the order of time; what is asked for is decoded. Sketches lie beside it, each column for itself, and are asked for when they are needed.
 */
export class Chunk {
  readonly #view: View
  readonly #bodyBytes: number
  /** By their UTF-8 bytes. */
  readonly keys: readonly string[]
  /** Of every key and of the end, where its rows begin. */
  readonly #starts: Uint32Array
  /** Whether every key has one row. */
  readonly #isOneEach: boolean
  readonly #firstMs: number
  /** Buckets of the view from the earliest row to each row's time. */
  readonly #buckets: PackedNumbers
  /** By column of the view that is written; sketches have none here. */
  readonly #columns: readonly PackedColumn[]
  /** Of a short one all rows, by the columns that were asked for. */
  readonly #kept = new Map<View, Cells>()
  #parts: readonly StringColumn[] | null = null

  constructor(view: View, body: ByteReader, bodyBytes: number) {
    this.#view = view
    this.#bodyBytes = bodyBytes
    this.keys = JSON.parse(body.text())
    this.#starts = new Uint32Array(this.keys.length + 1)
    body.numbers(this.keys.length).read(0, this.#starts.subarray(1))
    for (let k = 1; k < this.#starts.length; k++) this.#starts[k]! += this.#starts[k - 1]!
    this.#isOneEach = this.#starts.every((start, k) => start === k)
    const rows = this.#rows
    this.#firstMs = body.f64()
    this.#buckets = body.numbers(rows)
    const before: PackedNumbers[] = []
    this.#columns = writtenColumns(view).plain.map((c) => {
      const dictionary = viewColumns(view)[c]!.type === 'string' ? JSON.parse(body.text()) : null
      const numbers = body.numbers(rows, before)
      before.push(numbers)
      return { numbers, dictionary }
    })
  }

  get #rows(): number {
    return this.#starts[this.keys.length]!
  }

  /** What it takes in memory, about: decoded numbers take several times what they take as they lie. */
  get bytes(): number {
    return this.#bodyBytes * (this.#isShort ? 5 : 1) + 2_048
  }

  get #isShort(): boolean {
    return this.#rows <= (this.#isOneEach ? KEYS_KEPT_MAX : ROWS_KEPT_MAX)
  }

  /** The rows from the one at `from` to that before `to`, among others where they are few; in the columns of `as`, the view or a narrower one. */
  rowsAt(from: number, to: number, as: View, sketches: SketchesOf): CellRange {
    if (this.#isShort) return { cells: this.#all(as, sketches), from, to }
    return { cells: this.#decode([{ from, to }], as, sketches), from: 0, to: to - from }
  }

  #all(as: View, sketches: SketchesOf): Cells {
    let kept = this.#kept.get(as)
    if (kept === undefined) {
      kept = this.#decode([{ from: 0, to: this.#rows }], as, sketches)
      this.#kept.set(as, kept)
    }
    return kept
  }

  /** The rows of a key whose bucket starts in `[fromMs, toMs)`, among others where they are few; null where the key is none of its own. */
  rowsOf(
    key: string,
    { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number },
    as: View,
    sketches: SketchesOf,
  ): CellRange | null {
    const k = placeOf(this.keys, key)
    if (k < 0) return null
    const from = this.#firstAtLeast(fromMs, k)
    return this.rowsAt(from, Math.max(from, this.#firstAtLeast(toMs, k)), as, sketches)
  }

  /** The same of the keys at `[from, to)`, decoded at once. */
  rowsOfKeys(
    from: number,
    to: number,
    { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number },
    as: View,
    sketches: SketchesOf,
  ): CellRange[] {
    const runs: { from: number; to: number }[] = []
    for (let k = from; k < to; k++) {
      const first = this.#firstAtLeast(fromMs, k)
      const end = this.#firstAtLeast(toMs, k)
      const before = runs.at(-1)
      if (before?.to === first) before.to = Math.max(first, end)
      else if (first < end) runs.push({ from: first, to: end })
    }
    if (this.#isShort) return runs.map((run) => ({ cells: this.#all(as, sketches), ...run }))
    const cells = this.#decode(runs, as, sketches)
    return [{ cells, from: 0, to: cells.length }]
  }

  /** The first row of a key whose bucket starts at `ms` or later; behind its last where there is none. */
  #firstAtLeast(ms: number, k: number): number {
    const buckets = (ms - this.#firstMs) / this.#view.bucketMs
    let [low, high] = [this.#starts[k]!, this.#starts[k + 1]!]
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#buckets.at(middle) < buckets) low = middle + 1
      else high = middle
    }
    return low
  }

  /** The rows of some runs behind each other. */
  #decode(runs: readonly Run[], as: View, sketches: SketchesOf): Cells {
    const view = this.#view
    const wanted = placesIn(view, as)
    const length = runs.reduce((sum, { from, to }) => sum + to - from, 0)
    const times = readRuns(this.#buckets, runs, new Float64Array(length))
    for (let i = 0; i < length; i++) times[i] = this.#firstMs + times[i]! * view.bucketMs
    const { plain } = writtenColumns(view)
    const rooms = roomsFor(wanted.filter((c) => plain.includes(c)).length, length)
    let room = 0
    const columns = wanted.map((c): CellColumn => {
      if (c < view.key.length) return { type: 'string', values: this.#keyColumn(c, runs, length) }
      if (c === view.key.length) return { type: 'timestamp', values: times }
      const { type } = viewColumns(view)[c]!
      if (type === 'sketch') return readSketches(sketches(c), runs, length)
      return readColumn(type, this.#columns[plain.indexOf(c)]!, times, runs, rooms[room++]!)
    })
    return { view: as, length, columns }
  }

  /** Part `part` of the keys of some rows. */
  #keyColumn(part: number, runs: readonly Run[], length: number): StringColumn {
    const starts = this.#starts
    let k = runs.length === 0 ? 0 : lastAtMost(starts, runs[0]!.from)
    if (length === 0 || runs.at(-1)!.to <= starts[k + 1]!)
      return constantColumn(length === 0 ? '' : splitKey(this.keys[k]!)[part]!, length)
    this.#parts ??= this.#view.key.map((_, p) => toStringColumn(this.keys.map((key) => splitKey(key)[p]!)))
    const { dictionary, places: ofKeys } = this.#parts[part]!
    if (this.#isOneEach && runs.length === 1)
      return { dictionary, places: ofKeys.subarray(runs[0]!.from, runs[0]!.to) }
    const places = new Uint32Array(length)
    let at = 0
    for (const { from, to } of runs)
      for (let row = from; row < to; ) {
        while (row >= starts[k + 1]!) k++
        const end = Math.min(to, starts[k + 1]!)
        places.fill(ofKeys[k]!, at, at + end - row)
        at += end - row
        row = end
      }
    return { dictionary, places }
  }
}

/** The last place but one of ascending numbers whose number is at most `value`. */
function lastAtMost(numbers: Uint32Array, value: number): number {
  let [low, high] = [0, numbers.length - 2]
  while (low < high) {
    const middle = (low + high + 1) >>> 1
    if (numbers[middle]! <= value) low = middle
    else high = middle - 1
  }
  return low
}

/** So many columns of rows in one piece of memory: of many pieces the most garbage would be made. */
function roomsFor(columns: number, rows: number): Float64Array[] {
  const all = new Float64Array(columns * rows)
  return Array.from({ length: columns }, (_, c) => all.subarray(c * rows, (c + 1) * rows))
}

function readColumn(
  type: Exclude<ColumnType, 'sketch'>,
  { numbers, dictionary }: PackedColumn,
  times: Float64Array,
  runs: readonly Run[],
  room: Float64Array,
): CellColumn {
  if (type === 'string') {
    const places = readRuns(numbers, runs, new Uint32Array(room.buffer, room.byteOffset, room.length))
    return { type, values: { dictionary: dictionary!, places } }
  }
  const values = readRuns(numbers, runs, room)
  if (type === 'timestamp') for (let i = 0; i < values.length; i++) values[i]! += times[i]!
  return { type, values }
}
