import type { DataFile } from '../../lake/delta/port.ts'
import { whollyWithin } from '../../lake/tables/messages.ts'
import type { ColumnType } from '../../schemas/cell-column.ts'
import { nameColumns } from '../../schemas/dataset.ts'
import type { Position } from '../../schemas/position.ts'
import { spark } from '../../schemas/sql/spark.ts'
import { viewColumns } from '../../schemas/view-columns.ts'
import { finalSql, type MessageRelation, mapSql, orderSql, reduceSql } from '../../schemas/view-sql.ts'
import type { DatePlan } from '../plan.ts'
import { hoursCondition, lackedGauges, positionCondition } from './conditions.ts'
import { coversDate, type EngineTables, formTag } from './engine.ts'
import { asHadoop } from './spark-place.ts'

/** Stands in the error of a job that met a file which is not what its checksum says. */
export const DAMAGED = 'damaged or missing: '

/** What a job does for a date. */
export interface DateJob {
  readonly views: readonly string[]
  /** Queries for the names of files that are not what their checksum says. */
  readonly checks: readonly string[]
  /** What writes the date's file. */
  readonly writes: readonly string[]
}

/** The statements of a job. One statement checks all files, so that no core waits for the last one of a date. */
export function jobStatements(dates: readonly DateJob[]): string[] {
  const checks = dates.flatMap((date) => date.checks)
  const check = `SELECT raise_error(concat('${DAMAGED}', name)) FROM (${checks.join(' UNION ALL ')})`
  return [
    ...dates.flatMap(({ views }) => views),
    ...(checks.length > 0 ? [check] : []),
    ...dates.flatMap(({ writes }) => writes),
  ]
}

/**
 * The plan of a date as statements for Spark's SQL shell:
 *
 *     bytes of the files of messages ─▶ error where a checksum differs
 *     temporary views over them ─▶ map, reduce, final ⊕ carried ─▶ one sorted Parquet file in `to`
 *
 * Views say their columns, so that Spark opens no file to find them out.
 */
export function dateJob(
  tables: EngineTables,
  { date, upTo, name, to }: { date: DatePlan; upTo: Position; name: string; to: string },
): DateJob {
  const { view, viewTable } = tables
  const views: string[] = []
  const partials: string[] = []
  const checks: string[] = []
  for (const { files } of date.maps) {
    if (files.length === 0) continue
    const sources: MessageRelation[] = []
    for (const { files: some, lacks } of alike(files, tables)) {
      const relation = `${name}_m${views.length}`
      const urls = some.map((file) => asHadoop(tables.messages.url(file)))
      views.push(
        filesAs(relation, { columns: messageColumns(tables), urls }),
        filesAs(`${relation}_bytes`, { urls, format: 'binaryFile' }),
      )
      checks.push(checkSql(`${relation}_bytes`, some))
      sources.push({ relation, lacks })
    }
    const within = files.every((file) => whollyWithin(file, upTo))
    const conditions = [
      hoursCondition(date.hours, spark),
      ...(within ? [] : [positionCondition(upTo, spark)]),
    ]
    partials.push(`(${mapSql(view, spark, sources, conditions.join(' AND '))})`)
  }
  const cells: string[] = []
  if (partials.length === 1) cells.push(finalSql(view, spark, partials[0]!))
  if (partials.length > 1) cells.push(finalSql(view, spark, reduceSql(view, spark, partials)))
  if (date.base !== null && !coversDate(date)) {
    const relation = `${name}_base`
    const columns = viewColumns(view).map((column) => [column.name, TYPES[column.type]] as const)
    views.push(filesAs(relation, { columns, urls: [asHadoop(viewTable.url(date.base))] }))
    const listed = columns.map(([column]) => spark.name(column)).join(', ')
    cells.push(`SELECT ${listed} FROM ${relation} WHERE NOT (${hoursCondition(date.hours, spark)})`)
  }
  if (cells.length === 0) return { views, checks, writes: [] }
  const whole = `SELECT /*+ REPARTITION(1) */ * FROM (${cells.join(' UNION ALL ')})`
  const target = `${spark.text(to)} USING parquet OPTIONS (compression 'zstd')`
  const insert = `INSERT OVERWRITE DIRECTORY ${target} SELECT * FROM (${whole}) SORT BY ${orderSql(view, spark)}`
  return { views, checks, writes: [insert] }
}

const TYPES: { readonly [type in ColumnType]: string } = {
  string: 'STRING',
  double: 'DOUBLE',
  long: 'BIGINT',
  timestamp: 'TIMESTAMP',
  sketch: 'ARRAY<STRUCT<bucket: INT, count: BIGINT>>',
}

type Columns = readonly (readonly [name: string, type: string])[]

/** What the plan reads of a message. A column that a file lacks is null. */
function messageColumns({ dataset }: EngineTables): Columns {
  return [
    ...nameColumns(dataset).map((name) => [name, 'STRING'] as const),
    ...dataset.gauges.map(({ name }) => [name, 'DOUBLE'] as const),
    ['time_stamp', 'TIMESTAMP'],
    ['partition', 'INT'],
    ['offset', 'BIGINT'],
  ]
}

/** Files of one form in one folder. */
function alike(files: readonly DataFile[], { view }: EngineTables) {
  const groups = new Map<string, { files: DataFile[]; lacks: ReadonlySet<string> }>()
  for (const file of files) {
    const key = `${formTag(file)}\n${file.path.slice(0, file.path.lastIndexOf('/') + 1)}`
    const group = groups.get(key)
    if (group === undefined) groups.set(key, { files: [file], lacks: lackedGauges(view, file) })
    else group.files.push(file)
  }
  return groups.values()
}

/** A temporary view over files of one folder. Spark takes a path for a pattern, in which a choice of names may stand. */
function filesAs(
  relation: string,
  { columns, urls, format = 'parquet' }: { columns?: Columns; urls: readonly string[]; format?: string },
): string {
  const cut = urls[0]!.lastIndexOf('/')
  const plain = (text: string) => text.replace(/[\\{}[\]*?,^]/g, '\\$&')
  const names = urls.map((url) => plain(url.slice(cut + 1)))
  const path = `${plain(urls[0]!.slice(0, cut))}/${names.length === 1 ? names[0] : `{${names.join(',')}}`}`
  const typed = columns?.map(([name, type]) => `${spark.name(name)} ${type}`).join(', ')
  return `CREATE OR REPLACE TEMPORARY VIEW ${relation}${typed ? ` (${typed})` : ''} USING ${format} OPTIONS (path ${spark.text(path)})`
}

/** Those of the files in a view of their bytes that have another checksum, or, where nobody noted one, another length. */
function checkSql(relation: string, files: readonly DataFile[]): string {
  const known = files.map(({ path, size, tags }) => {
    const name = path.slice(path.lastIndexOf('/') + 1)
    return spark.text(tags.crc32 === undefined ? `${name} ${size} bytes` : `${name} ${tags.crc32}`)
  })
  const found = ["lower(lpad(hex(crc32(content)), 8, '0'))", "concat(length, ' bytes')"]
  const unlike = found.map((sql) => `concat(name, ' ', ${sql}) NOT IN (${known.join(', ')})`)
  return `SELECT name FROM (SELECT element_at(split(path, '/'), -1) AS name, content, length FROM ${relation}) WHERE ${unlike.join(' AND ')}`
}
