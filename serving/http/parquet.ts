import parquet from 'parquetjs-lite'
import type { FileColumn } from '../../lake/parquet/cells.ts'
import type { Table } from './table.ts'

/** Rows that are written one by one, in this thread. More are written in columns, elsewhere. */
export const PARQUET_ROWS_MAX = 500

const TYPES: { readonly [type in Exclude<FileColumn['type'], 'sketch'>]: string } = {
  string: 'UTF8',
  timestamp: 'TIMESTAMP_MICROS',
  double: 'DOUBLE',
  long: 'INT64',
  boolean: 'BOOLEAN',
}

/**
 * Rows as a Parquet file in their columns. Times are INT64 TIMESTAMP_MICROS, which by Parquet's LogicalTypes.md means
 * adjusted to UTC.
 */
export async function toParquet({ columns, length, row: rowOf }: Table): Promise<Uint8Array> {
  const fields = Object.fromEntries(
    columns.map(({ name, type, nullable }) => [
      name,
      type === 'sketch'
        ? { repeated: true, fields: { bucket: { type: 'INT32' }, count: { type: 'INT64' } } }
        : { type: TYPES[type], optional: nullable },
    ]),
  )
  const chunks: Uint8Array[] = []
  const writer = await parquet.ParquetWriter.openStream(new parquet.ParquetSchema(fields), {
    write(bytes, done) {
      chunks.push(bytes)
      done()
    },
    end: (done) => done(),
  })
  writer.setRowGroupSize(PARQUET_ROWS_MAX)
  for (let i = 0; i < length; i++) {
    const row: Record<string, unknown> = {}
    for (const [c, value] of rowOf(i).entries()) {
      const { name, type } = columns[c]!
      if (value === null) continue
      if (typeof value === 'object') row[name] = value.map(([bucket, count]) => ({ bucket, count }))
      else row[name] = type === 'timestamp' ? (value as number) * 1000 : value
    }
    await writer.appendRow(row)
  }
  await writer.close()
  return Buffer.concat(chunks)
}
