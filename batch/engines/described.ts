import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'
import type { FileAbout } from '../../lake/delta/port.ts'
import { duckdbError } from '../../lake/duckdb-error.ts'
import type { Disk } from '../../schemas/ports/disk.ts'
import { duckdb } from '../../schemas/sql/duckdb.ts'
import type { View } from '../../schemas/view.ts'
import { viewColumns } from '../../schemas/view-columns.ts'

/** What is known of a file of cells, as others than its writer read it: on DuckDB's threads, however many cells it has. */

interface Described {
  readonly view: View
  readonly date: string
  /** Whether every value must be read; absent: only what is told of them. */
  readonly isWhole?: boolean
}

/** Throws `E_ENGINE` for a file that cannot be read. */
export async function describeFile(
  connection: DuckDBConnection,
  path: string,
  { view, date, isWhole = false }: Described,
): Promise<FileAbout> {
  const columns = viewColumns(view)
  const nullable = columns.filter((column) => column.nullable)
  const nulls = nullable.map(({ name }) => `count(*) - count(${duckdb.name(name)})`)
  const counted = ['count(*)', 'min(epoch_ms(time_stamp))', 'max(epoch_ms(time_stamp))', ...nulls]
  const all = isWhole ? [`bit_xor(hash(${columns.map(({ name }) => duckdb.name(name)).join(', ')}))`] : []
  const told = [...counted, ...all].map((sql) => `(${sql})::DOUBLE`).join(', ')
  const reader = await run(connection, `SELECT ${told} FROM read_parquet(${duckdb.text(path)})`)
  const [rows, fromMs, toMs, ...missing] = reader.getRowsJS()[0] as [number, number | null, number | null]
  const time = (ms: number | null) => (ms === null ? {} : { time_stamp: new Date(ms).toISOString() })
  const counts = new Map(nullable.map(({ name }, i) => [name, (missing as number[])[i]!]))
  return {
    partition: { date },
    rows,
    min: time(fromMs),
    max: time(toMs),
    nulls: Object.fromEntries(columns.map(({ name }) => [name, counts.get(name) ?? 0])),
  }
}

/** Reads a date's file whole and tells of it; see `SparkDeps`. */
export type DescribeBytes = (view: View, bytes: Uint8Array, date: string) => Promise<FileAbout>

/** By way of a file in `scratchDir`. */
export function describeByDuckdb(scratchDir: string, disk: Disk): DescribeBytes {
  let made = 0
  return async (view, bytes, date) => {
    await disk.makeDir(scratchDir)
    const path = `${scratchDir}/described_${made++}.parquet`
    const file = await disk.open(path, { create: true })
    const instance = await DuckDBInstance.create(':memory:')
    const connection = await instance.connect()
    try {
      await file.write(0, bytes)
      return await describeFile(connection, path, { view, date, isWhole: true })
    } finally {
      connection.closeSync()
      instance.closeSync()
      await file.close()
      await disk.remove(path)
    }
  }
}

/** Throws what DuckDB throws in this project's words. */
export async function run(connection: DuckDBConnection, sql: string) {
  try {
    return await connection.runAndReadAll(sql)
  } catch (error) {
    throw duckdbError(error)
  }
}
