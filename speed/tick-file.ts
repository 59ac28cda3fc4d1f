import parquet from 'parquetjs-lite'
import type { CellRow } from '../schemas/cell.ts'
import type { View } from '../schemas/view.ts'
import { cellToValues, type ViewColumn, viewColumns } from '../schemas/view-table.ts'

/**
 * The Parquet file of one tick: the view's columns, one row a cell, written row by row by parquetjs-lite.
 * Times are INT64 TIMESTAMP_MICROS, which by Parquet's LogicalTypes.md means adjusted to UTC.
 */
export async function encodeTick(view: View, rows: readonly CellRow[]): Promise<Uint8Array> {
  const columns = viewColumns(view)
  const fields = Object.fromEntries(
    columns.map((column) => [column.name, { type: PARQUET_TYPE[column.type] }]),
  )
  const chunks: Uint8Array[] = []
  const writer = await parquet.ParquetWriter.openStream(new parquet.ParquetSchema(fields), {
    write(bytes, done) {
      chunks.push(bytes)
      done()
    },
    end: (done) => done(),
  })
  writer.setRowGroupSize(ROW_GROUP_ROWS)
  for (const row of rows) {
    const values = cellToValues(view, row)
    await writer.appendRow(
      Object.fromEntries(columns.map((column, i) => [column.name, stored(column, values[i]!)])),
    )
  }
  await writer.close()
  return Buffer.concat(chunks)
}

const PARQUET_TYPE: Record<ViewColumn['type'], string> = {
  string: 'UTF8',
  timestamp: 'TIMESTAMP_MICROS',
  double: 'DOUBLE',
  long: 'INT64',
}

/** A tick is one row group up to this size, above which the writer's buffers would grow large. */
const ROW_GROUP_ROWS = 50_000

function stored(column: ViewColumn, value: string | number): unknown {
  return column.type === 'timestamp' ? (value as number) * 1000 : value
}
