import parquet from 'parquetjs-lite'
import { TidemarkError } from '../../schemas/errors.ts'
import type { Table, TableColumn } from './table.ts'

/** Rows of a list in Parquet: they are written one by one. Cells of more are written otherwise. */
export const PARQUET_ROWS_MAX = 10_000

const TYPES: { readonly [type in Exclude<TableColumn['type'], 'sketch'>]: string } = {
  string: 'UTF8',
  timestamp: 'TIMESTAMP_MICROS',
  double: 'DOUBLE',
  long: 'INT64',
  boolean: 'BOOLEAN',
}

/**
 * Rows as a Parquet file in their columns. Times are INT64 TIMESTAMP_MICROS, which by Parquet's LogicalTypes.md means
 * adjusted to UTC. Throws `E_PARAMETER` when there are too many.
 */
export async function toParquet({ columns, length, row: rowOf }: Table): Promise<Uint8Array> {
  if (length > PARQUET_ROWS_MAX) {
    const reason = `${length} rows are too many for Parquet, which has at most ${PARQUET_ROWS_MAX} here`
    throw new TidemarkError('E_PARAMETER', `${reason}; ask for pages, with limit`, {
      field: 'limit',
    })
  }
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
