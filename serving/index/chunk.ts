import {
  type CellColumn,
  type ColumnType,
  emptyColumn,
  type SketchColumn,
} from '../../schemas/cell-column.ts'
import type { CellRange, Cells } from '../../schemas/cells.ts'
import { joinKey, splitKey } from '../../schemas/key.ts'
import { bucketOf } from '../../schemas/measures/buckets.ts'
import { narrowCells, placesIn } from '../../schemas/narrowed.ts'
import { constantColumn } from '../../schemas/string-column.ts'
import type { View } from '../../schemas/view.ts'
import { viewColumns } from '../../schemas/view-columns.ts'
import type { ByteReader, PackedNumbers } from './pack.ts'
import { writtenColumns } from './written-columns.ts'

interface PackedColumn {
  readonly numbers: PackedNumbers
  /** Of strings. */
  readonly dictionary: readonly (string | null)[] | null
}

interface PackedSketches {
  /** How many pairs each row has. */
  readonly lengths: PackedNumbers
  readonly rows: number
  /** Of every row and of the end, where its pairs begin; made when first asked for. */
  offsets: Uint32Array | null
  readonly lowest: number
  readonly buckets: PackedNumbers
  readonly counts: PackedNumbers
}

/** The bucket of the value zero (`buckets.ts`). */
export const ZERO_BUCKET = bucketOf(0)

/** So many rows stay decoded. More are decoded anew when they are asked for: that takes less than the memory is worth. */
const ROWS_KEPT_MAX = 1
/** Of a chunk of all keys so many: questions about all ask for the days of a month at once, again and again. */
const KEYS_KEPT_MAX = 64

export interface ChunkAbout {
  readonly view: View
  /** Null: it is of all keys. */
  readonly key: string | null
  /** Of its body. */
  readonly bytes: number
}

/** The rows of one key, or of all, at one level of a date, as they lie in the index (`chunk-codec.ts`); what is asked for is decoded. */
export class Chunk {
  readonly #about: ChunkAbout
  readonly #rows: number
  readonly #firstMs: number
  /** Buckets of the view from the first row to each row's time. */
  readonly #buckets: PackedNumbers
  /** By column of the view that is written; sketches have none here. */
  readonly #columns: readonly PackedColumn[]
  readonly #sketches: readonly PackedSketches[] | null
  /** Of a short one all rows, once they were asked for. */
  #kept: Cells | null = null
  #keys: readonly string[] | null = null

  constructor(about: ChunkAbout, body: ByteReader, pairs: ByteReader | null) {
    this.#about = about
    const { view } = about
    const written = writtenColumns(view, about.key).map((c) => viewColumns(view)[c]!)
    const rows = body.u32()
    this.#rows = rows
    this.#firstMs = body.f64()
    this.#buckets = body.numbers(rows)
    const before: PackedNumbers[] = []
    this.#columns = written
      .filter(({ type }) => type !== 'sketch')
      .map(({ type }) => {
        const dictionary = type === 'string' ? JSON.parse(body.text()) : null
        const numbers = body.numbers(rows, before)
        before.push(numbers)
        return { numbers, dictionary }
      })
    this.#sketches =
      pairs === null
        ? null
        : written.filter(({ type }) => type === 'sketch').map(() => sketchesIn(pairs, rows))
  }

  /** What it takes in memory, about: decoded numbers take several times what they take as they lie. */
  get bytes(): number {
    return this.#about.bytes * (this.#isShort ? 5 : 1) + 2_048
  }

  /** Of a chunk of all keys the key of each row. */
  get keys(): readonly string[] {
    if (this.#keys === null) {
      const parts = this.#about.view.key.map((_, k) => {
        const { numbers, dictionary } = this.#columns[k]!
        return {
          values: numbers.read(0, new Uint32Array(this.#rows)),
          dictionary: dictionary as readonly string[],
        }
      })
      this.#keys = Array.from({ length: this.#rows }, (_, i) =>
        joinKey(parts.map(({ values, dictionary }) => dictionary[values[i]!]!)),
      )
    }
    return this.#keys
  }

  /** The rows from the one at `from` to that before `to`, among others where they are few; in the columns of `as`, a narrower view. */
  rowsAt(from: number, to: number, as = this.#about.view): CellRange {
    const { view } = this.#about
    if (!this.#isShort) {
      const cells = this.#decode(from, to, as === view ? null : placesIn(view, as))
      return { cells: as === view ? cells : narrowCells(cells, as), from: 0, to: to - from }
    }
    this.#kept ??= this.#decode(0, this.#rows, null)
    return { cells: as === view ? this.#kept : narrowCells(this.#kept, as), from, to }
  }

  get #isShort(): boolean {
    return this.#rows <= (this.#about.key === null ? KEYS_KEPT_MAX : ROWS_KEPT_MAX)
  }

  /** The rows whose bucket starts in `[fromMs, toMs)`, among others where they are few. */
  rows(fromMs = Number.NEGATIVE_INFINITY, toMs = Number.POSITIVE_INFINITY, as?: View): CellRange {
    const from = this.#firstAtLeast(fromMs)
    return this.rowsAt(from, Math.max(from, this.#firstAtLeast(toMs)), as)
  }

  /** The first row whose bucket starts at `ms` or later; they are in the order of time. */
  #firstAtLeast(ms: number): number {
    const buckets = (ms - this.#firstMs) / this.#about.view.bucketMs
    let [low, high] = [0, this.#rows]
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#buckets.at(middle) < buckets) low = middle + 1
      else high = middle
    }
    return low
  }

  /** Of the columns of the view those at `wanted` places, absent all; the others have no rows. */
  #decode(from: number, to: number, wanted: readonly number[] | null): Cells {
    const { view, key } = this.#about
    const times = this.#buckets.read(from, new Float64Array(to - from))
    for (let i = 0; i < times.length; i++) times[i] = this.#firstMs + times[i]! * view.bucketMs
    const isWanted = (c: number) => wanted?.includes(c) !== false
    const written = writtenColumns(view, key)
    const rooms = roomsFor(wanted === null ? this.#columns.length : wanted.length, to - from)
    const columns: CellColumn[] = (key === null ? [] : splitKey(key)).map((value) => ({
      type: 'string',
      values: constantColumn(value, to - from),
    }))
    columns[view.key.length] = { type: 'timestamp', values: times }
    let [plain, sketch, room] = [0, 0, 0]
    for (const c of written) {
      const { type } = viewColumns(view)[c]!
      const packed = type === 'sketch' ? this.#sketches?.[sketch++] : this.#columns[plain++]!
      if (!isWanted(c)) columns[c] = NOTHING[type]
      else if (type === 'sketch') columns[c] = readSketches(packed as PackedSketches | undefined, from, to)
      else columns[c] = readColumn(type, packed as PackedColumn, times, from, rooms[room++]!)
    }
    return { view, length: to - from, columns }
  }
}

/** What stands in the place of columns that nobody asked for. */
const NOTHING: { readonly [type in ColumnType]: CellColumn } = {
  string: emptyColumn('string'),
  double: emptyColumn('double'),
  long: emptyColumn('long'),
  timestamp: emptyColumn('timestamp'),
  sketch: emptyColumn('sketch'),
}

/** So many columns of rows in one piece of memory: of many pieces the most garbage would be made. */
function roomsFor(columns: number, rows: number): Float64Array[] {
  const all = new Float64Array(columns * rows)
  return Array.from({ length: columns }, (_, c) => all.subarray(c * rows, (c + 1) * rows))
}

function readColumn(
  type: 'string' | 'double' | 'long' | 'timestamp',
  { numbers, dictionary }: PackedColumn,
  times: Float64Array,
  from: number,
  room: Float64Array,
): CellColumn {
  if (type === 'string') {
    const places = numbers.read(from, new Uint32Array(room.buffer, room.byteOffset, room.length))
    return { type, values: { dictionary: dictionary!, places } }
  }
  const values = numbers.read(from, room)
  if (type === 'timestamp') for (let i = 0; i < values.length; i++) values[i]! += times[i]!
  return { type, values }
}

function sketchesIn(pairs: ByteReader, rows: number): PackedSketches {
  const lengths = pairs.numbers(rows)
  const count = pairs.u32()
  const lowest = pairs.f64()
  return { lengths, rows, offsets: null, lowest, buckets: pairs.numbers(count), counts: pairs.numbers(count) }
}

function offsetsOf(packed: PackedSketches): Uint32Array {
  if (packed.offsets === null) {
    const offsets = new Uint32Array(packed.rows + 1)
    packed.lengths.read(0, offsets.subarray(1))
    for (let i = 1; i <= packed.rows; i++) offsets[i]! += offsets[i - 1]!
    packed.offsets = offsets
  }
  return packed.offsets
}

function readSketches(packed: PackedSketches | undefined, from: number, to: number): SketchColumn {
  const offsets = new Uint32Array(to - from + 1)
  if (packed === undefined)
    return { type: 'sketch', offsets, buckets: new Int32Array(), counts: new Float64Array() }
  const all = offsetsOf(packed)
  const [first, end] = [all[from]!, all[to]!]
  for (let i = 0; i < offsets.length; i++) offsets[i] = all[from + i]! - first
  const buckets = packed.buckets.read(first, new Int32Array(end - first))
  for (let at = 0; at < buckets.length; at++)
    buckets[at] = buckets[at] === 0 ? ZERO_BUCKET : buckets[at]! - 1 + packed.lowest
  return {
    type: 'sketch',
    offsets,
    buckets,
    counts: packed.counts.read(first, new Float64Array(end - first)),
  }
}
