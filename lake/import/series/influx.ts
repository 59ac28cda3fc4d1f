import { TidemarkError } from '../../../schemas/errors.ts'
import { duckdb } from '../../../schemas/sql/duckdb.ts'
import type { ImportCompression } from '../columns.ts'

/** Columns of its tables that are no tags. */
const NO_TAGS = ['', 'result', 'table', '_start', '_stop', '_time', '_value', '_field', '_measurement']

/** The header of a table, and the row of the file at which it stands, from 1. */
export interface InfluxHeader {
  readonly row: number
  readonly columns: readonly string[]
}

/** How many cells the widest of the headers has. */
export function influxWidthSql(path: string, delimiter: string, compression: ImportCompression): string {
  const lines = `read_csv(${duckdb.text(path)}, auto_detect = false, header = false, delim = '\u001f', quote = '', escape = '',
    compression = '${compression}', columns = {line: 'VARCHAR'}, ignore_errors = true)`
  return `SELECT max(len(string_split(line, ${duckdb.text(delimiter)})))::DOUBLE FROM ${lines} WHERE line LIKE '%\\_value%' ESCAPE '\\' AND line LIKE '%\\_time%' ESCAPE '\\'`
}

const cells = (width: number) => Array.from({ length: width }, (_, i) => `c${i}`)

/**
 * Every row of a CSV file of InfluxDB, headers among them, with their number `r`: tables of other columns follow each other in it, each
 * with annotations and a header of its own.
 */
export function influxCellsSql(
  path: string,
  { delimiter, compression, width }: { delimiter: string; compression: ImportCompression; width: number },
): string {
  const columns = cells(width).map((name) => `'${name}': 'VARCHAR'`)
  return `SELECT row_number() OVER () AS r, * FROM read_csv(${duckdb.text(path)}, auto_detect = false, header = false, delim = ${duckdb.text(delimiter)},
    quote = '"', escape = '"', null_padding = true, parallel = false, compression = '${compression}', columns = {${columns.join(', ')}},
    store_rejects = true, rejects_table = 'torn_rows', rejects_scan = 'torn_scans', rejects_limit = 0)`
}

/** The headers among the cells of a file: row, then what stands in it. */
export function influxHeadersSql(from: string, width: number): string {
  const names = cells(width)
  const texts = names.map((name) => `coalesce(trim(${name}), '')`)
  return `SELECT r::DOUBLE, to_json([${texts.join(', ')}])::VARCHAR FROM ${from}
    WHERE '_time' IN (${names.join(', ')}) AND '_value' IN (${names.join(', ')}) ORDER BY r`
}

/** The values of all tables as `t`, `v` and `s`. */
export function influxRowsSql(from: string, headers: readonly InfluxHeader[]): string {
  const parts = new Map<string, { columns: readonly string[]; ranges: string[] }>()
  for (const [i, { row, columns }] of headers.entries()) {
    const key = JSON.stringify(columns)
    const part = parts.get(key) ?? { columns, ranges: [] }
    parts.set(key, part)
    const next = headers[i + 1]?.row
    part.ranges.push(next === undefined ? `r > ${row}` : `(r > ${row} AND r < ${next})`)
  }
  if (parts.size === 0)
    throw new TidemarkError('E_USAGE', 'no table of the file has the columns _time and _value')
  return [...parts.values()].map(({ columns, ranges }) => tableSql(from, columns, ranges)).join(' UNION ALL ')
}

function tableSql(from: string, columns: readonly string[], ranges: readonly string[]): string {
  const cell = (name: string) => (columns.includes(name) ? `c${columns.indexOf(name)}` : 'NULL::VARCHAR')
  const tags = columns.filter((name) => !NO_TAGS.includes(name))
  const named = tags.flatMap((tag) => [duckdb.text(tag), cell(tag)])
  const series = `to_json([${[cell('_measurement'), cell('_field'), ...named].join(', ')}])::VARCHAR`
  // Annotations of the next table stand before its header; an empty line is a row without a cell.
  return `SELECT ${cell('_time')} AS t, ${cell('_value')} AS v, ${series} AS s FROM ${from}
    WHERE (${ranges.join(' OR ')}) AND coalesce(c0, '') NOT LIKE '#%' AND ${cell('_time')} IS NOT NULL`
}
