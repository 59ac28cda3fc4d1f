import {
  type CellColumn,
  type CellValue,
  columnOf,
  emptyColumn,
  joinColumns,
  type NumberColumn,
  pickColumn,
  type TextColumn,
  valueAt,
} from './cell-column.ts'
import { joinKey, splitKey } from './key.ts'
import { memoize } from './memoize.ts'
import type { View } from './view.ts'
import { layoutOf, viewColumns } from './view-columns.ts'

/**
 * Cells of one view as rows in typed columns, in the order of `viewColumns`: what engines, files, the index and answers
 * pass on. Unless something else is said rows are in the published order: by key as UTF-8 bytes, then by time.
 */
export interface Cells {
  readonly view: View
  readonly length: number
  readonly columns: readonly CellColumn[]
}

/** The rows of `cells` from `from` to `to`. */
export interface CellRange {
  readonly cells: Cells
  readonly from: number
  readonly to: number
}

/** Cells of no rows. Asked for with every key that has nothing. */
export const noCells = memoize(
  (view: View): Cells => ({
    view,
    length: 0,
    columns: viewColumns(view).map(({ type }) => emptyColumn(type)),
  }),
)

/** Row `i` as values in the order of `viewColumns`. */
export function rowAt({ columns }: Cells, i: number): CellValue[] {
  return columns.map((column) => valueAt(column, i))
}

/** The inverse of `rowAt` for many rows. */
export function cellsOf(view: View, rows: readonly (readonly CellValue[])[]): Cells {
  const columns = viewColumns(view).map(({ type }, c) =>
    columnOf(
      type,
      rows.map((row) => row[c]!),
    ),
  )
  return { view, length: rows.length, columns }
}

/** How many messages the rows `[from, to)` are of. */
export function messagesIn({ view, columns }: Cells, from: number, to: number): number {
  const { values } = columns[layoutOf(view).messages] as NumberColumn
  let sum = 0
  for (let i = from; i < to; i++) sum += values[i]!
  return sum
}

/** What cells take in memory, about; of strings their places alone. */
export function bytesOf({ columns }: Cells): number {
  return columns.reduce((sum, column) => {
    if (column.type === 'string') return sum + column.values.places.byteLength
    if (column.type !== 'sketch') return sum + column.values.byteLength
    return sum + column.offsets.byteLength + column.buckets.byteLength + column.counts.byteLength
  }, 0)
}

/** The rows `rows` of `cells`, in that order. */
export function pickRows(cells: Cells, rows: Uint32Array): Cells {
  return { ...cells, length: rows.length, columns: cells.columns.map((column) => pickColumn(column, rows)) }
}

/** Some rows of cells of `view` behind each other. */
export function joinRows(view: View, ranges: readonly CellRange[]): Cells {
  if (ranges.length === 0) return noCells(view)
  const parts = coalesced(ranges)
  const length = parts.reduce((sum, { from, to }) => sum + to - from, 0)
  if (parts.length === 1 && length === parts[0]!.cells.length) return parts[0]!.cells
  const columns = viewColumns(view).map((_, c) =>
    joinColumns(
      parts.map(({ cells, from, to }) => ({ column: cells.columns[c]!, from, to })),
      length,
    ),
  )
  return { view, length, columns }
}

/** The same rows, those that follow each other in one range. */
export function coalesced(ranges: readonly CellRange[]): CellRange[] {
  const parts: { cells: Cells; from: number; to: number }[] = []
  for (const { cells, from, to } of ranges) {
    const last = parts.at(-1)
    if (last?.cells === cells && last.to === from) last.to = to
    else parts.push({ cells, from, to })
  }
  return parts
}

/** The rows of `key` (`joinKey`), in their order; none for one of more or fewer parts than the view's. */
export function pickKey(cells: Cells, key: string): Cells {
  const parts = splitKey(key)
  if (parts.length !== cells.view.key.length) return noCells(cells.view)
  const wanted = parts.map((value, k) => {
    const { dictionary, places } = (cells.columns[k] as TextColumn).values
    return { place: dictionary.indexOf(value), places }
  })
  const rows: number[] = []
  if (wanted.every(({ place }) => place >= 0)) {
    for (let i = 0; i < cells.length; i++)
      if (wanted.every(({ place, places }) => places[i] === place)) rows.push(i)
  }
  return pickRows(cells, Uint32Array.from(rows))
}

/** The joined key of row `i` (`joinKey`). */
export function keyAt({ view, columns }: Cells, i: number): string {
  if (view.key.length === 1) return valueAt(columns[0]!, i) as string
  return joinKey(view.key.map((_, k) => valueAt(columns[k]!, i) as string))
}

/** The first row behind `from` of another key than that row's; rows of one key stand together. */
export function endOfKey({ view, length, columns }: Cells, from: number): number {
  const places = view.key.map((_, k) => (columns[k] as TextColumn).values.places)
  let end = length
  for (const of of places) {
    let to = from + 1
    while (to < end && of[to] === of[from]) to++
    end = to
  }
  return end
}

/** Starts of the rows' buckets, milliseconds since 1970. */
export function timesOf({ view, columns }: Cells): Float64Array {
  return (columns[view.key.length] as NumberColumn).values
}

/**
 * The memory of cells that nobody asks any more, to be handed to another thread; of what lies in memory with something else none, nor of
 * cells of no rows, which are the same for all who ask (`noCells`).
 */
export function memoryOf({ length, columns }: Cells): ArrayBuffer[] {
  if (length === 0) return []
  const arrays = columns.flatMap((column): readonly ArrayBufferView[] => {
    if (column.type === 'sketch') return [column.offsets, column.buckets, column.counts]
    return column.type === 'string' ? [column.values.places] : [column.values]
  })
  const whole = arrays.filter((one) => one.byteLength > 0 && one.byteLength === one.buffer.byteLength)
  return [...new Set(whole.map(({ buffer }) => buffer as ArrayBuffer))]
}
