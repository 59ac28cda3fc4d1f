import { duckdb } from '../../schemas/sql/duckdb.ts'

/** What stands in a file and is no row of it: kept by the reader of CSV in `torn_rows`, by others in `torn_lines`. */

/** Keeps lines for a reason: a relation of `line`, the number, and `content`. */
export function keepTornSql(lines: string, why: string): string {
  return `CREATE TEMP TABLE torn_lines AS SELECT line, ${duckdb.text(why)} AS why, content FROM (${lines})`
}

/** What is torn, as a relation of `line`, `why` and `content`; null where nothing can be. */
export async function tornSql(run: (sql: string) => Promise<readonly unknown[][]>): Promise<string | null> {
  const tables = await run(
    "SELECT table_name FROM duckdb_tables() WHERE table_name IN ('torn_rows', 'torn_lines')",
  )
  const parts = tables.map(([name]) =>
    name === 'torn_lines'
      ? 'SELECT line, why, content FROM torn_lines'
      : `SELECT DISTINCT line, lower(error_type::VARCHAR), trim(csv_line, chr(10) || chr(13)) FROM torn_rows`,
  )
  return parts.length === 0
    ? null
    : `SELECT * FROM (${parts.join(' UNION ALL ')}) AS torn (line, why, content)`
}
