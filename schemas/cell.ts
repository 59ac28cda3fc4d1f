import { GAUGES } from './gauges.ts'
import { type Columns, stringAt } from './message.ts'
import { compareUtf8 } from './utf8.ts'
import { bucketStart, type View } from './view.ts'

/**
 * The aggregated state of one (view, key, minute): a commutative monoid under `mergeInto` with `emptyCell`
 * as its unit. Arrays are indexed like the view's `gauges`. Totals and counts, never averages: what cannot
 * be merged is computed last.
 *
 * Totals are sums of doubles, whose addition is not associative: two orders of merging agree to 1e-9
 * relative. Everything else agrees exactly.
 */
export interface Cell {
  messages: number
  readonly total: number[]
  readonly max: number[]
  /** Time of the maximum, milliseconds since 1970: the earliest of equal maxima. */
  readonly maxTimeMs: number[]
  /** Host of the maximum: at equal times the smallest by UTF-8 bytes. */
  readonly maxHost: string[]
}

/** A cell together with its name. `key` holds the values of the view's key columns, joined by `joinKey`. */
export interface CellRow {
  readonly key: string
  readonly minuteMs: number
  readonly cell: Cell
}

/** The unit: a cell of no messages. Its maxima lie below every value. */
export function emptyCell(view: Pick<View, 'gauges'>): Cell {
  const n = view.gauges.length
  return {
    messages: 0,
    total: new Array<number>(n).fill(0),
    max: new Array<number>(n).fill(Number.NEGATIVE_INFINITY),
    maxTimeMs: new Array<number>(n).fill(0),
    maxHost: new Array<string>(n).fill(''),
  }
}

/** Adds `other` to `into`. */
export function mergeInto(into: Cell, other: Cell): void {
  if (other.messages === 0) return
  into.messages += other.messages
  for (let g = 0; g < into.total.length; g++) {
    into.total[g]! += other.total[g]!
    raise(into, g, other.max[g]!, other.maxTimeMs[g]!, other.maxHost[g]!)
  }
}

/** Adds message `i` of `columns` to `into`. `gauges` are the columns of the view's gauges (`gaugeColumns`). */
export function addMessage(
  into: Cell,
  view: View,
  columns: Columns,
  i: number,
  gauges: readonly Float64Array[] = gaugeColumns(view, columns),
): void {
  into.messages += 1
  for (let g = 0; g < gauges.length; g++) {
    const value = gauges[g]![i]! * view.gauges[g]!.scale
    into.total[g]! += value
    if (value >= into.max[g]!) raise(into, g, value, columns.timeMs[i]!, stringAt(columns.host, i))
  }
}

/** The columns of the view's gauges, in the view's order. */
function gaugeColumns(view: View, columns: Columns): Float64Array[] {
  return view.gauges.map(({ gauge }) => columns.gauges[GAUGES.indexOf(gauge)]!)
}

/** Lets a candidate for the maximum of gauge `g` win or lose: larger value, then earlier, then smaller host. */
function raise(into: Cell, g: number, value: number, timeMs: number, host: string): void {
  const max = into.max[g]!
  if (value < max) return
  if (value === max) {
    const at = into.maxTimeMs[g]!
    if (timeMs > at || (timeMs === at && compareUtf8(host, into.maxHost[g]!) >= 0)) return
  }
  into.max[g] = value
  into.maxTimeMs[g] = timeMs
  into.maxHost[g] = host
}

/** One gauge's part of an answer; all null where there was no message. */
export interface GaugeAnswer {
  readonly total: number
  readonly mean: number | null
  readonly max: number | null
  readonly maxTimeMs: number | null
  readonly maxHost: string | null
}

/** What a cell says of gauge `g`. */
export function answerOf(cell: Cell, g: number): GaugeAnswer {
  if (cell.messages === 0) return { total: 0, mean: null, max: null, maxTimeMs: null, maxHost: null }
  return {
    total: cell.total[g]!,
    mean: cell.total[g]! / cell.messages,
    max: cell.max[g]!,
    maxTimeMs: cell.maxTimeMs[g]!,
    maxHost: cell.maxHost[g]!,
  }
}

/** Separates the values of a key: a control character, which no service or host can contain. */
const KEY_SEPARATOR = '\u001f'

export function joinKey(values: readonly string[]): string {
  return values.length === 1 ? values[0]! : values.join(KEY_SEPARATOR)
}

export function splitKey(key: string): string[] {
  return key.split(KEY_SEPARATOR)
}

/** The key under which message `i` counts in `view`. */
export function keyOf(view: View, columns: Columns, i: number): string {
  return joinKey(view.key.map((column) => stringAt(columns[column], i)))
}

/** The cells of one view by key and minute: what folding messages in any order gives. */
export class CellMap {
  readonly view: View
  readonly #cells = new Map<string, Map<number, Cell>>()
  #size = 0

  constructor(view: View) {
    this.view = view
  }

  /** Number of cells held. */
  get size(): number {
    return this.#size
  }

  /** The cell of `key` and `minuteMs`, made empty when it was not there. */
  at(key: string, minuteMs: number): Cell {
    let minutes = this.#cells.get(key)
    if (minutes === undefined) {
      minutes = new Map()
      this.#cells.set(key, minutes)
    }
    let cell = minutes.get(minuteMs)
    if (cell === undefined) {
      cell = emptyCell(this.view)
      minutes.set(minuteMs, cell)
      this.#size += 1
    }
    return cell
  }

  /** Folds every message of `columns` for which `wanted` holds. */
  addAll(columns: Columns, wanted?: (i: number) => boolean): void {
    const { view } = this
    const gauges = gaugeColumns(view, columns)
    const [first] = view.key as [View['key'][number]]
    // With one column the place of its string stands for the key.
    const places = view.key.length === 1 ? columns[first].places : null
    // What follows within a minute goes into the cell found last.
    const cells: Cell[] = []
    const minutes: number[] = []
    for (let i = 0; i < columns.length; i++) {
      if (wanted && !wanted(i)) continue
      const minuteMs = bucketStart(columns.timeMs[i]!, view.bucketMs)
      const place = places === null ? 0 : places[i]!
      if (places === null || minutes[place] !== minuteMs) {
        cells[place] = this.at(keyOf(view, columns, i), minuteMs)
        minutes[place] = minuteMs
      }
      addMessage(cells[place]!, view, columns, i, gauges)
    }
  }

  merge(rows: Iterable<CellRow>): void {
    for (const row of rows) mergeInto(this.at(row.key, row.minuteMs), row.cell)
  }

  keys(): Iterable<string> {
    return this.#cells.keys()
  }

  /** The cells of `key` whose minute lies in `[fromMs, toMs)`, in no order. */
  *range(key: string, fromMs: number, toMs: number): Generator<CellRow> {
    for (const [minuteMs, cell] of this.#cells.get(key) ?? []) {
      if (minuteMs >= fromMs && minuteMs < toMs) yield { key, minuteMs, cell }
    }
  }

  /** Every cell, in the published order: by key as UTF-8 bytes, then by minute. */
  rows(): CellRow[] {
    const rows: CellRow[] = []
    for (const key of [...this.#cells.keys()].sort(compareUtf8)) {
      const minutes = [...this.#cells.get(key)!].sort((a, b) => a[0] - b[0])
      for (const [minuteMs, cell] of minutes) rows.push({ key, minuteMs, cell })
    }
    return rows
  }
}
