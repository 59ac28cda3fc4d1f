import { duckdb } from '../../schemas/sql/duckdb.ts'
import { usage } from './named-column.ts'

/** What stands in a file and is no row of it: kept by the reader of CSV in `torn_rows`, by others in `torn_lines`. */

/** Keeps lines for a reason: a relation of `line`, the number, and `content`. */
export function keepTornSql(lines: string, why: string): string {
  return `CREATE TEMP TABLE torn_lines AS SELECT line, ${duckdb.text(why)} AS why, content FROM (${lines})`
}

/** Reasons of the reader of CSV, in words. */
const WHY = `CASE error_type::VARCHAR WHEN 'UNQUOTED VALUE' THEN 'text beside quotes' WHEN 'INVALID ENCODING' THEN 'no UTF-8'
  WHEN 'LINE SIZE OVER MAXIMUM' THEN 'a line that is too long' ELSE lower(error_type::VARCHAR) END`
const TRIMMED = 'trim(csv_line, chr(10) || chr(13))'

/**
 * What is torn, as a relation of `line`, `why` and `content`; null where nothing can be. Throws `E_USAGE` where a quote takes the lines
 * behind it along: which of them are rows nobody can tell.
 */
export async function tornSql(run: (sql: string) => Promise<readonly unknown[][]>): Promise<string | null> {
  const tables = await run(
    "SELECT table_name FROM duckdb_tables() WHERE table_name IN ('torn_rows', 'torn_lines')",
  )
  if (tables.some(([name]) => name === 'torn_rows')) await checkQuotes(run)
  const parts = tables.map(([name]) =>
    name === 'torn_lines'
      ? 'SELECT line, why, content FROM torn_lines'
      : `SELECT DISTINCT line, ${WHY}, ${TRIMMED} FROM torn_rows`,
  )
  return parts.length === 0
    ? null
    : `SELECT * FROM (${parts.join(' UNION ALL ')}) AS torn (line, why, content)`
}

async function checkQuotes(run: (sql: string) => Promise<readonly unknown[][]>): Promise<void> {
  const [[line] = [null]] = await run(
    `SELECT min(line)::DOUBLE FROM torn_rows WHERE error_type = 'UNQUOTED VALUE' AND regexp_matches(${TRIMMED}, '[\\n\\r]')`,
  )
  if (line !== null)
    throw usage(`a quote opens in line ${line} and is not closed: the lines behind it would be lost in it`, {
      hint: 'mend that line, or leave it out',
    })
}
