import { TidemarkError } from '../../../schemas/errors.ts'
import { duckdb } from '../../../schemas/sql/duckdb.ts'
import type { ImportCompression, ImportSource } from '../columns.ts'
import type { ImportEngine } from '../engine.ts'
import { TORN } from '../rows-sql.ts'

/** Columns of its tables that are no tags. */
const NO_TAGS = ['', 'result', 'table', '_start', '_stop', '_time', '_value', '_field', '_measurement']

/** The header of a table, and the row of the file at which it stands, from 1. */
export interface InfluxHeader {
  readonly row: number
  readonly columns: readonly string[]
}

/** A file of tables of CSV: how its cells are told apart. */
export interface TablesFile {
  readonly path: string
  readonly delimiter: string
  readonly compression: ImportCompression
}

/** How many cells the widest of the lines has for which `isHeader`, a condition on `line`, holds. */
export function widthSql({ path, delimiter, compression }: TablesFile, isHeader: string): string {
  const lines = `read_csv(${duckdb.text(path)}, auto_detect = false, header = false, delim = '\u001f', quote = '', escape = '',
    compression = '${compression}', columns = {line: 'VARCHAR'}, ignore_errors = true)`
  return `SELECT coalesce(max(len(string_split(line, ${duckdb.text(delimiter)}))), 1)::DOUBLE FROM ${lines} WHERE ${isHeader}`
}

export const cells = (width: number) => Array.from({ length: width }, (_, i) => `c${i}`)

/**
 * Every row of a CSV file of tables, headers among them, with their number `r`: tables of other columns follow each other in it, each
 * with a header of its own.
 */
export function cellsSql({ path, delimiter, compression }: TablesFile, width: number): string {
  const columns = cells(width).map((name) => `'${name}': 'VARCHAR'`)
  return `SELECT row_number() OVER () AS r, * FROM read_csv(${duckdb.text(path)}, auto_detect = false, header = false, delim = ${duckdb.text(delimiter)},
    quote = '"', escape = '"', null_padding = true, parallel = false, compression = '${compression}', columns = {${columns.join(', ')}},
    ${TORN})`
}

/** The headers among the cells of a file, rows for which `isHeader` holds: row, then what stands in it. */
export function headersSql(from: string, width: number, isHeader: string): string {
  const texts = cells(width).map((name) => `coalesce(trim(${name}), '')`)
  return `SELECT r::DOUBLE, to_json([${texts.join(', ')}])::VARCHAR FROM ${from} WHERE ${isHeader} ORDER BY r`
}

/** Tables of the same columns, and the condition under which a row is one of theirs. */
export interface LikeTables {
  readonly columns: readonly string[]
  readonly where: string
}

/** The tables of a file by their columns. Throws `E_USAGE` where there is none. */
export function likeTables(headers: readonly InfluxHeader[]): LikeTables[] {
  const parts = new Map<string, { columns: readonly string[]; ranges: string[] }>()
  for (const [i, { row, columns }] of headers.entries()) {
    const key = JSON.stringify(columns)
    const part = parts.get(key) ?? { columns, ranges: [] }
    parts.set(key, part)
    const next = headers[i + 1]?.row
    part.ranges.push(next === undefined ? `r > ${row}` : `(r > ${row} AND r < ${next})`)
  }
  if (parts.size === 0) throw new TidemarkError('E_USAGE', 'no table of the file has a header that is known')
  return [...parts.values()].map(({ columns, ranges }) => ({ columns, where: `(${ranges.join(' OR ')})` }))
}

/** The cells of a file, written for a while, and its tables. */
export async function tablesOf(
  file: TablesFile,
  engine: ImportEngine,
  is: { readonly headerLine: string; readonly headerCells: (names: readonly string[]) => string },
): Promise<{ from: string; tables: LikeTables[] }> {
  const written = engine.path('cells.parquet')
  const [[width]] = (await engine.run(widthSql(file, is.headerLine))) as [[number]]
  await engine.run(
    `COPY (${cellsSql(file, width)}) TO ${duckdb.text(written)} (FORMAT parquet, COMPRESSION lz4)`,
  )
  const from = `read_parquet(${duckdb.text(written)})`
  const found = (await engine.run(headersSql(from, width, is.headerCells(cells(width))))) as [
    number,
    string,
  ][]
  const headers = found.map(([row, columns]) => ({ row, columns: JSON.parse(columns) as string[] }))
  return { from, tables: likeTables(headers) }
}

/** The values of all tables of InfluxDB's annotated CSV as `t`, `v` and `s`. */
export async function influxRows(
  path: string,
  { compression, csv }: Pick<ImportSource, 'compression' | 'csv'>,
  engine: ImportEngine,
): Promise<string> {
  const file = { path, delimiter: csv?.delimiter ?? ',', compression }
  const { from, tables } = await tablesOf(file, engine, {
    headerLine: "line LIKE '%\\_value%' ESCAPE '\\' AND line LIKE '%\\_time%' ESCAPE '\\'",
    headerCells: (names) => `'_time' IN (${names.join(', ')}) AND '_value' IN (${names.join(', ')})`,
  })
  return tables.map((table) => tableSql(from, table)).join(' UNION ALL ')
}

function tableSql(from: string, { columns, where }: LikeTables): string {
  const cell = (name: string) => (columns.includes(name) ? `c${columns.indexOf(name)}` : 'NULL::VARCHAR')
  const tags = columns.filter((name) => !NO_TAGS.includes(name))
  const named = tags.flatMap((tag) => [duckdb.text(tag), cell(tag)])
  const series = `to_json([${[cell('_measurement'), cell('_field'), ...named].join(', ')}])::VARCHAR`
  // Annotations of the next table stand before its header; an empty line is a row without a cell.
  return `SELECT ${cell('_time')} AS t, ${cell('_value')} AS v, ${series} AS s FROM ${from}
    WHERE ${where} AND coalesce(c0, '') NOT LIKE '#%' AND ${cell('_time')} IS NOT NULL`
}
