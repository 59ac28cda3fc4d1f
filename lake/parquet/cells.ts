import {
  type CellColumn,
  type CellValue,
  type ColumnType,
  columnOf,
  emptyColumn,
  type SketchColumn,
  type TextColumn,
} from '../../schemas/cell-column.ts'
import { CellFold } from '../../schemas/cell-fold.ts'
import { type Cells, timesOf } from '../../schemas/cells.ts'
import { TidemarkError } from '../../schemas/errors.ts'
import type { View } from '../../schemas/view.ts'
import { type ViewColumn, viewColumns } from '../../schemas/view-columns.ts'
import type { FileAbout } from '../delta/port.ts'
import { arrayOf, decodeParquet, encodeParquet, missingAsNull, orDamaged } from './codec.ts'
import type { ParquetColumn } from './column.ts'
import { SketchRows } from './sketch-rows.ts'

/** A file of cells, not yet stored. */
export interface CellFile {
  readonly bytes: Uint8Array
  readonly about: FileAbout
}

/** The file of all that `parts` of one view hold together, one at least; in the published order. */
export function fileOfCells(parts: readonly Cells[]): CellFile {
  const cells = parts.length === 1 ? parts[0]! : merged(parts)
  return { bytes: encodeCells(cells), about: describeCells(cells) }
}

function merged(parts: readonly Cells[]): Cells {
  const all = new CellFold(
    parts[0]!.view,
    parts.reduce((sum, { length }) => sum + length, 0),
  )
  for (const cells of parts) all.merge(cells)
  return all.cells()
}

/** Cells as Parquet, in the order given. */
export function encodeCells(cells: Cells): Uint8Array {
  const columns: ParquetColumn[] = viewColumns(cells.view).map((column, c) => ({
    ...parquetColumn(column, cells.columns[c]!),
    // The key and the time, by which the rows are sorted.
    statistics: c <= cells.view.key.length,
  }))
  return encodeParquet(columns)
}

/** A column of rows as files have them; of a `boolean` the values are 0 and 1. */
export interface FileColumn {
  readonly name: string
  readonly type: ColumnType | 'boolean'
  readonly nullable: boolean
}

/** Values as a column of a file. */
export function parquetColumn({ name, type, nullable }: FileColumn, column: CellColumn): ParquetColumn {
  const plain = plainValues(column)
  const values =
    type === 'boolean'
      ? arrayOf<unknown, unknown>(plain, (value) => (value === null ? null : value === 1))
      : plain
  return { name, type, nullable, values, ...ENCODING[type] }
}

/** Names repeat and get a dictionary; totals, extremes and times hardly do. */
const ENCODING = {
  boolean: {},
  string: {},
  timestamp: { encoding: 'DELTA' },
  long: { encoding: 'DELTA' },
  double: { encoding: 'PLAIN' },
  sketch: {},
} as const

/** The values of a column as the codec takes them: null where there is none. */
function plainValues(column: CellColumn): unknown[] | Float64Array | SketchRows {
  if (column.type === 'string') {
    const { dictionary, places } = column.values
    return arrayOf(places, (place) => dictionary[place]!)
  }
  if (column.type === 'sketch') return new SketchRows(column)
  return missingAsNull(column.values)
}

/** The cells of a file, whatever wrote it. Throws `E_COLUMNS` when it lacks a column of the view, `E_FILE_DAMAGED`. */
export function decodeCells(view: View, bytes: Uint8Array): Promise<Cells> {
  return orDamaged(view.name, () => readCells(view, bytes))
}

async function readCells(view: View, bytes: Uint8Array): Promise<Cells> {
  const wanted = viewColumns(view)
  const data = await decodeParquet(
    bytes,
    wanted.map(({ name }) => name),
  )
  const length = data[wanted[0]!.name]!.length
  const columns = wanted.map((column) => {
    const values = data[column.name]!
    if (length === 0) return emptyColumn(column.type)
    if (values.length !== length)
      throw new TidemarkError('E_COLUMNS', `a file of ${view.name} has no column ${column.name}`)
    return decodedColumn(column, values)
  })
  return { view, length, columns }
}

function decodedColumn({ type }: ViewColumn, values: unknown[]): CellColumn {
  if (type === 'string') return columnOf(type, values as CellValue[])
  if (type === 'sketch') return decodedSketch(values as Pairs[])
  const numbers = new Float64Array(values.length)
  for (let i = 0; i < numbers.length; i++) numbers[i] = (values[i] as number | null) ?? Number.NaN
  return { type, values: numbers }
}

type Pairs = readonly { readonly bucket: number; readonly count: number | bigint }[]

function decodedSketch(rows: readonly Pairs[]): SketchColumn {
  const offsets = new Uint32Array(rows.length + 1)
  for (let i = 0; i < rows.length; i++) offsets[i + 1] = offsets[i]! + rows[i]!.length
  const buckets = new Int32Array(offsets[rows.length]!)
  const counts = new Float64Array(buckets.length)
  let at = 0
  for (let i = 0; i < rows.length; i++) {
    for (const { bucket, count } of rows[i]!) {
      buckets[at] = bucket
      counts[at++] = Number(count)
    }
  }
  return { type: 'sketch', offsets, buckets, counts }
}

/** Delta statistics of a file of cells: minimum and maximum of the key's columns and the time. */
export function describeCells(
  cells: Cells,
  partition: { readonly [column: string]: string } = {},
): FileAbout {
  const { view, length, columns } = cells
  let fromMs = Number.POSITIVE_INFINITY
  let toMs = Number.NEGATIVE_INFINITY
  for (const timeMs of timesOf(cells)) {
    if (timeMs < fromMs) fromMs = timeMs
    if (timeMs > toMs) toMs = timeMs
  }
  const iso = (ms: number) => new Date(ms).toISOString()
  const nulls = viewColumns(view).map(({ name }, c) => [name, missingIn(columns[c]!)] as const)
  return {
    partition,
    rows: length,
    min: length > 0 ? { time_stamp: iso(fromMs) } : {},
    max: length > 0 ? { time_stamp: iso(toMs) } : {},
    nulls: Object.fromEntries(nulls),
  }
}

function missingIn(column: CellColumn): number {
  if (column.type === 'sketch') return 0
  if (column.type !== 'string')
    return column.values.reduce((sum, value) => sum + Number(Number.isNaN(value)), 0)
  const { dictionary, places }: TextColumn['values'] = column.values
  return (places as Uint32Array).reduce((sum, place) => sum + Number(dictionary[place] === null), 0)
}
