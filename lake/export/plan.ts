import { duckdb } from '../../schemas/sql/duckdb.ts'
import { TIME_MS_MAX, TIME_MS_MIN, utcDate } from '../../schemas/time.ts'
import type { DataFile, Field, Snapshot, TableSchema } from '../delta/port.ts'
import { type QueryTable, tableSql } from '../query/catalog.ts'

export const EXPORT_FORMATS = ['parquet', 'csv', 'ndjson'] as const
export type ExportFormat = (typeof EXPORT_FORMATS)[number]

/** What is wanted of a table: the rows whose `time_stamp` is in `[fromMs, toMs)` and whose columns have these values. */
export interface ExportAsk {
  readonly fromMs: number
  readonly toMs: number
  readonly where: { readonly [column: string]: string }
}

/** The files that may hold such rows, by date and path, and how they are read. */
export interface ExportPlan {
  readonly files: readonly DataFile[]
  readonly schema: TableSchema
  readonly columns: readonly Field[]
  readonly conditions: readonly string[]
  /** Rows in the place of those of the files that are the same in `columns`. */
  readonly instead?: { readonly path: string; readonly columns: readonly string[] }
}

/** Where a row stands in the log and the lake means nothing elsewhere. */
const OWN: ReadonlySet<string> = new Set(['date', 'partition', 'offset', 'index'])
/** The first and the last time that the engine's timestamps hold for certain; what is beyond asks for all. */
const ENGINE_MS_MAX = 8.64e15

/** The columns that an export of a table has. */
export function exportColumns({ fields }: TableSchema): readonly Field[] {
  return fields.filter(({ name }) => !OWN.has(name))
}

/** Says what is read of `table` at `snapshot`, null where there is none yet. */
export function planExport(table: QueryTable, snapshot: Snapshot | null, ask: ExportAsk): ExportPlan {
  const schema = snapshot?.schema ?? table.schema
  const place = ({ partition, path }: DataFile) => `${partition.date} ${path}`
  const [first, last] = [dateOf(ask.fromMs), dateOf(ask.toMs - 1)]
  const files = [...(snapshot?.files.values() ?? [])]
    .filter(({ partition: { date } }) => !date || (date >= first && date <= last))
    .sort((a, b) => (place(a) < place(b) ? -1 : 1))
  const times = [
    ...(ask.fromMs > -ENGINE_MS_MAX ? [`time_stamp >= ${duckdb.timestamp(String(ask.fromMs))}`] : []),
    ...(ask.toMs < ENGINE_MS_MAX ? [`time_stamp < ${duckdb.timestamp(String(ask.toMs))}`] : []),
  ]
  const values = Object.entries(ask.where).map(
    ([column, value]) => `${duckdb.name(column)} = ${duckdb.text(value)}`,
  )
  return { files, schema, columns: exportColumns(schema), conditions: [...times, ...values] }
}

function dateOf(ms: number): string {
  return utcDate(Math.min(Math.max(ms, TIME_MS_MIN), TIME_MS_MAX))
}

/**
 * The statement that writes the rows of the plan's files, which lie at `paths`, as one file. Text has times in ISO 8601 and sketches
 * as JSON; in CSV the names are quoted, so that none is taken for a comment.
 */
export function exportSql(
  { schema, columns, conditions, instead }: ExportPlan,
  paths: readonly string[],
  format: ExportFormat,
  output: string,
): string {
  const values = columns.map((column) => `${valueSql(column, format)} AS ${duckdb.name(column.name)}`)
  const where = conditions.length === 0 ? '' : ` WHERE ${conditions.join(' AND ')}`
  const rows = `SELECT ${values.join(', ')} FROM (${rowsSql(schema, paths, instead)})${where}`
  const quoted = columns.filter(({ type, nullable }) => type === 'string' && !nullable)
  const options = {
    parquet: 'FORMAT parquet, COMPRESSION zstd',
    csv: `FORMAT csv, HEADER, FORCE_QUOTE (${quoted.map(({ name }) => duckdb.name(name)).join(', ')})`,
    ndjson: 'FORMAT json',
  }[format]
  return `COPY (${rows}) TO ${duckdb.text(output)} (${options}, USE_TMP_FILE false)`
}

function rowsSql(schema: TableSchema, paths: readonly string[], instead: ExportPlan['instead']): string {
  const rows = tableSql(schema, paths)
  if (instead === undefined) return rows
  const others = tableSql(schema, [instead.path])
  const same = instead.columns.map(duckdb.name).join(', ')
  return `SELECT * FROM (${rows}) ANTI JOIN (${others}) USING (${same}) UNION ALL BY NAME (${others})`
}

function valueSql({ name, type }: Field, format: ExportFormat): string {
  const column = duckdb.name(name)
  if (format === 'parquet') return column
  if (type === 'timestamp') return `strftime(${column} AT TIME ZONE 'UTC', '%Y-%m-%dT%H:%M:%S.%gZ')`
  return type === 'sketch' && format === 'csv' ? `to_json(${column})` : column
}
