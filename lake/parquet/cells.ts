import type { CellRow } from '../../schemas/cell.ts'
import type { View } from '../../schemas/view.ts'
import { valuesToCell, viewColumns } from '../../schemas/view-table.ts'
import type { FileAbout } from '../delta/port.ts'
import { decodeParquet, encodeParquet, type ParquetColumn } from './codec.ts'

/** Rows of a row group at most. */
const ROW_GROUP_ROWS = 122_880

/** A view's cells as Parquet, in the order given. A row group holds one key only, so that a key's cells are one run. */
export function encodeCells(view: View, rows: readonly CellRow[]): Uint8Array {
  const columns: ParquetColumn[] = viewColumns(view).map(({ name, type, of }, c) => ({
    name,
    type,
    values: rows.map(of),
    ...ENCODING[type],
    // The key and the minute, by which the rows are sorted.
    statistics: c < 2,
  }))
  return encodeParquet(columns, { rowGroupRows: groupRows(rows) })
}

/** Names repeat and get a dictionary; totals, maxima and times hardly do. */
const ENCODING = {
  string: {},
  timestamp: { encoding: 'DELTA' },
  long: { encoding: 'DELTA' },
  double: { encoding: 'PLAIN' },
} as const

function groupRows(rows: readonly CellRow[]): number[] {
  const sizes: number[] = []
  for (const [i, { key }] of rows.entries()) {
    if (i === 0 || key !== rows[i - 1]!.key || sizes.at(-1) === ROW_GROUP_ROWS) sizes.push(0)
    sizes[sizes.length - 1]! += 1
  }
  return sizes
}

/** The cells of a file, whoever wrote it. */
export async function decodeCells(view: View, bytes: Uint8Array): Promise<CellRow[]> {
  const names = viewColumns(view).map(({ name }) => name)
  const columns = await decodeParquet(bytes, names)
  const data = names.map((name) => columns[name] as (string | number)[])
  return data[0]!.map((_, i) =>
    valuesToCell(
      view,
      data.map((column) => column[i]!),
    ),
  )
}

/** Delta statistics of a file of cells; minimum and maximum of the key and the minute. */
export function describeCells(
  view: View,
  rows: readonly CellRow[],
  partition: { readonly [column: string]: string },
): FileAbout {
  let fromMs = Number.POSITIVE_INFINITY
  let toMs = Number.NEGATIVE_INFINITY
  for (const { minuteMs } of rows) {
    if (minuteMs < fromMs) fromMs = minuteMs
    if (minuteMs > toMs) toMs = minuteMs
  }
  const iso = (ms: number) => new Date(ms).toISOString()
  const known = rows.length > 0
  const nulls = Object.fromEntries(viewColumns(view).map(({ name }) => [name, 0]))
  return {
    partition,
    rows: rows.length,
    min: known ? { time_stamp: iso(fromMs) } : {},
    max: known ? { time_stamp: iso(toMs) } : {},
    nulls,
  }
}
