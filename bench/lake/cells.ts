import type { DuckDBConnection } from '@duckdb/node-api'

/**
 * A hash over all cells of some files of a view: of every column as text, times counted from `startMs`, the rows in any order.
 * Equal for equal cells, whatever wrote the files.
 */
export async function hashOfCells(
  db: DuckDBConnection,
  paths: readonly string[],
  columns: readonly string[],
  startMs: number,
): Promise<string> {
  const text = columns.map((name) => {
    const value = /(^|_)time(_stamp)?$/.test(name) ? `epoch_ms(${name}) - ${startMs}` : name
    return `coalesce((${value})::VARCHAR, '')`
  })
  const files = paths.map((path) => `'${path}'`).join(', ')
  const row = `md5(concat_ws('|', ${text.join(', ')}))`
  const reader = await db.runAndReadAll(
    `SELECT count(*), coalesce(bit_xor(('0x' || left(${row}, 16))::UBIGINT), 0)::VARCHAR FROM read_parquet([${files}])`,
  )
  const [count, mixed] = reader.getRows()[0]!
  return `${count}-${BigInt(mixed as string)
    .toString(16)
    .padStart(16, '0')}`
}
