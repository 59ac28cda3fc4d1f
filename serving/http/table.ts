import type { FileColumn } from '../../lake/parquet/cells.ts'
import { type CellColumn, type CellValue, columnOf, pickColumn } from '../../schemas/cell-column.ts'
import { type Cells, rowAt } from '../../schemas/cells.ts'
import { viewColumns } from '../../schemas/view-columns.ts'
import type { ListColumn, ListValue } from './columns.ts'
import { csvLine } from './csv.ts'
import { isoTimes, rounded } from './present.ts'

/** Rows of an answer in flat columns, as files have them. Times are milliseconds. */
export interface Table {
  readonly columns: readonly FileColumn[]
  readonly length: number
  /** Rows of a part: few enough that making one and handing it to another thread holds nobody up. */
  readonly partRows: number
  row(i: number): readonly TableValue[]
  /** The rows `[from, to)` in columns. */
  part(from: number, to: number): readonly CellColumn[]
}

/** A list holds the pairs of a sketch. */
export type TableValue = ListValue | readonly (readonly [bucket: number, count: number])[]

export function tableOfCells(cells: Cells): Table {
  return {
    columns: viewColumns(cells.view),
    length: cells.length,
    partRows: 5_000,
    row: (i) => rowAt(cells, i),
    part(from, to) {
      const rows = Uint32Array.from({ length: to - from }, (_, i) => from + i)
      return cells.columns.map((column) => pickColumn(column, rows))
    },
  }
}

export function tableOfList<T>(columns: readonly ListColumn<T>[], rows: readonly T[]): Table {
  return {
    // Without what only this thread knows: they may be sent to another.
    columns: columns.map(({ name, type, nullable }) => ({ name, type, nullable })),
    length: rows.length,
    // Each of their values is looked up.
    partRows: 1_000,
    row: (i) => columns.map(({ of }) => of(rows[i]!)),
    part(from, to) {
      const some = rows.slice(from, to)
      return columns.map(({ type, of }) => {
        if (type !== 'boolean') return columnOf(type, some.map(of) as CellValue[])
        return columnOf(
          'double',
          some.map((row) => Number(of(row))),
        )
      })
    },
  }
}

/** All rows in columns, part by part. */
export function* partsOf({ length, partRows, part }: Table): Generator<readonly CellColumn[]> {
  for (let from = 0; from < length; from += partRows) yield part(from, Math.min(length, from + partRows))
}

/** Rows of CSV written at once. */
const ROWS_AT_ONCE = 500
/** What tells Excel that a text is UTF-8. */
const BYTE_ORDER_MARK = '\uFEFF'

/** The rows as CSV, piece by piece, the names of the columns first. */
export function* csvPieces({ columns, length, row }: Table, bom: boolean): Generator<string> {
  const iso = isoTimes()
  const written = (value: TableValue, c: number) => {
    if (value === null) return null
    if (typeof value === 'number') return columns[c]!.type === 'timestamp' ? iso(value) : rounded(value)
    if (typeof value === 'boolean') return String(value)
    return typeof value === 'object' ? value.map(([bucket, count]) => ({ bucket, count })) : value
  }
  yield (bom ? BYTE_ORDER_MARK : '') + csvLine(columns.map(({ name }) => name))
  for (let from = 0; from < length; from += ROWS_AT_ONCE) {
    let text = ''
    for (let i = from; i < Math.min(length, from + ROWS_AT_ONCE); i++) text += csvLine(row(i).map(written))
    yield text
  }
}
