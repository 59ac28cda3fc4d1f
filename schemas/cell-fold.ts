import type { CellColumn, NumberColumn, TextColumn } from './cell-column.ts'
import { CellRows, type KeySummary, type WantedKeys } from './cell-rows.ts'
import { type Cells, noCells, timesOf } from './cells.ts'
import { type Accumulator, reserved, StringPool, taken } from './measures/measure.ts'
import { type FoldColumns, nameColumn } from './message.ts'
import type { View } from './view.ts'
import { layoutOf, pickPlaces, type ViewLayout } from './view-columns.ts'

export interface MergeOptions {
  /** Which cells; absent: all. */
  readonly from?: number
  readonly to?: number
  /** A multiple of the view's bucket: cells go into the coarser buckets that hold them. */
  readonly bucketMs?: number
  /** The key that the cells go to, whatever theirs are. Either no merge into a fold says one or every merge does. */
  readonly key?: string
}

/**
 * The cells of one view while messages and cells are added to them, in any order: a commutative monoid. Each cell is a row
 * in the columns of the view's measures.
 */
export class CellFold {
  readonly view: View
  readonly #layout: ViewLayout
  readonly #pool = new StringPool()
  readonly #rows: CellRows
  /** Number of messages, per row. */
  #messages = new Float64Array()
  /** Per gauge, per measure. */
  readonly #measures: readonly (readonly Accumulator[])[]
  readonly #roomFirst: number
  /** Rows that the measures know. */
  #begun = 0
  #targets = new Int32Array()
  #scaled = new Float64Array()

  /**
   * `room`: how many cells are expected. All memory for them is taken at the first, and touched as they come: to grow to them would copy
   * everything again and again, and hold the thread each time.
   */
  constructor(view: View, room = 0) {
    this.view = view
    this.#layout = layoutOf(view)
    this.#roomFirst = Math.max(room, ROWS_FIRST)
    this.#rows = new CellRows(view.key.length, view.bucketMs, room)
    this.#measures = view.gauges.map((gauge, g) =>
      this.#layout.gauges[g]!.map(({ measure }) => measure.accumulator(gauge, view.source, this.#pool)),
    )
  }

  /** Number of cells. */
  get size(): number {
    return this.#rows.size
  }

  /** Cells for which there is memory. */
  get room(): number {
    return this.#messages.length
  }

  /** Adds every message of `columns`, which are of the view's dataset, for which `wanted` holds. */
  addAll(columns: FoldColumns, wanted?: (i: number) => boolean): void {
    const { key, source, gauges } = this.view
    const n = columns.length
    const targets = this.#targetsFor(n)
    const parts = key.map((name) => nameColumn(columns, name))
    this.#rows.find(parts, columns.timeMs, { from: 0, to: n }, targets, wanted)
    this.#reserve()
    for (let i = 0; i < n; i++) if (targets[i]! >= 0) this.#count(targets[i]!, 1)
    const folded = {
      timeMs: columns.timeMs,
      source: source === null ? null : nameColumn(columns, source),
    }
    for (const [g, { gauge, scale }] of gauges.entries()) {
      const values = columns.gauges[columns.form.gauges.indexOf(gauge)]
      // A gauge that the dataset did not have yet is absent.
      if (values === undefined) continue
      const scaled = scale === 1 ? values : this.#scale(values, scale, n)
      for (const measure of this.#measures[g]!) measure.fold(targets, n, scaled, folded)
    }
  }

  #targetsFor(n: number): Int32Array {
    if (this.#targets.length < n) {
      this.#targets = new Int32Array(n)
      this.#scaled = new Float64Array(n)
    }
    return this.#targets
  }

  #scale(values: Float64Array, scale: number, n: number): Float64Array {
    for (let i = 0; i < n; i++) this.#scaled[i] = values[i]! * scale
    return this.#scaled
  }

  #count(row: number, messages: number): void {
    this.#messages[row]! += messages
    this.#rows.count(row, messages)
  }

  /** Makes room for rows that are new. */
  #reserve(): void {
    const rows = this.#rows.size
    if (rows === this.#begun) return
    const room = rows <= this.room ? 0 : Math.max(rows, 2 * this.room, this.#roomFirst)
    this.#messages = reserved(this.#messages, room)
    for (const measures of this.#measures) {
      for (const measure of measures) {
        if (room > 0) measure.reserve(room)
        measure.begin?.(this.#begun, rows)
      }
    }
    this.#begun = rows
  }

  /** Adds cells of the same columns. */
  merge(
    cells: Cells,
    { from = 0, to = cells.length, bucketMs = this.view.bucketMs, key }: MergeOptions = {},
  ): void {
    if (to <= from) return
    const layout = this.#layout
    const targets = this.#targetsFor(to - from)
    const at = { from, to, bucketMs }
    if (key !== undefined) this.#rows.findOf(key, timesOf(cells), at, targets)
    else {
      const parts = cells.columns.slice(0, layout.time).map((column) => (column as TextColumn).values)
      this.#rows.find(parts, timesOf(cells), at, targets)
    }
    this.#reserve()
    const counts = (cells.columns[layout.messages] as NumberColumn).values
    for (let i = from; i < to; i++) this.#count(targets[i - from]!, counts[i]!)
    for (const [g, places] of layout.gauges.entries())
      for (const [m, place] of places.entries())
        this.#measures[g]![m]!.merge(targets, pickPlaces(cells.columns, place), from, to)
  }

  /** Every key with what is known of it, in no order. */
  keys(): Iterable<KeySummary> {
    return this.#rows.summaries()
  }

  summary(key: string): KeySummary | null {
    return this.#rows.summary(key)
  }

  /** Every cell, in the published order. */
  cells(): Cells {
    return this.range(null, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY)
  }

  /** The cells of `keys` whose bucket starts in `[fromMs, toMs)`; in the published order. */
  range(keys: WantedKeys, fromMs: number, toMs: number): Cells {
    const { view } = this
    const layout = this.#layout
    const rows = this.#rows.within(keys, fromMs, toMs)
    if (rows.length === 0) return noCells(view)
    const columns: CellColumn[] = []
    for (const [k, values] of this.#rows.keyColumns(rows, view.key.length).entries())
      columns[k] = { type: 'string', values }
    columns[layout.time] = { type: 'timestamp', values: taken(this.#rows.times, rows) }
    columns[layout.messages] = { type: 'long', values: taken(this.#messages, rows) }
    for (const [g, places] of layout.gauges.entries()) {
      for (const [m, { places: at }] of places.entries())
        for (const [c, column] of this.#measures[g]![m]!.take(rows).entries()) columns[at[c]!] = column
    }
    return { view, length: rows.length, columns }
  }
}

/** Rows for which there is room at first: V8 makes arrays of up to 64 bytes several times as fast as longer ones. */
const ROWS_FIRST = 8
