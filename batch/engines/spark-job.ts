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

/**
 * The plan of a date as statements for Spark's SQL shell:
 *
 *     temporary views over files of messages ─▶ map, reduce, final ⊕ carried ─▶ one sorted Parquet file in `to`
 *
 * Views say their columns, so that Spark opens no file to find them out.
 */
export async function dateStatements(
  tables: EngineTables,
  { date, upTo, name, to }: { date: DatePlan; upTo: Position; name: string; to: string },
): Promise<string[]> {
  const { view, viewTable } = tables
  const statements: string[] = []
  const partials: string[] = []
  for (const { files } of date.maps) {
    if (files.length === 0) continue
    const sources: MessageRelation[] = []
    for (const { paths, lacks } of await alike(files, tables)) {
      const relation = `${name}_m${statements.length}`
      statements.push(filesAs(relation, messageColumns(tables), paths))
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
    statements.push(filesAs(relation, columns, [await viewTable.localPath(date.base)]))
    const listed = columns.map(([column]) => spark.name(column)).join(', ')
    cells.push(`SELECT ${listed} FROM ${relation} WHERE NOT (${hoursCondition(date.hours, spark)})`)
  }
  if (cells.length === 0) return []
  const whole = `SELECT /*+ REPARTITION(1) */ * FROM (${cells.join(' UNION ALL ')})`
  const target = `${spark.text(`file://${to}`)} USING parquet OPTIONS (compression 'zstd')`
  statements.push(
    `INSERT OVERWRITE DIRECTORY ${target} SELECT * FROM (${whole}) SORT BY ${orderSql(view, spark)}`,
  )
  return statements
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

/** Paths of files of one form in one folder. */
async function alike(files: readonly DataFile[], { view, messages }: EngineTables) {
  const groups = new Map<string, { paths: string[]; lacks: ReadonlySet<string> }>()
  for (const file of files) {
    const path = await messages.localPath(file)
    const key = `${formTag(file)}\n${path.slice(0, path.lastIndexOf('/'))}`
    const group = groups.get(key)
    if (group === undefined) groups.set(key, { paths: [path], lacks: lackedGauges(view, file) })
    else group.paths.push(path)
  }
  return groups.values()
}

/** A temporary view over files of one folder. Spark takes a path for a pattern, in which a choice of names may stand. */
function filesAs(relation: string, columns: Columns, paths: readonly string[]): string {
  const cut = paths[0]!.lastIndexOf('/')
  const plain = (text: string) => text.replace(/[\\{}[\]*?,^]/g, '\\$&')
  const names = paths.map((path) => plain(path.slice(cut + 1)))
  const path = `file://${plain(paths[0]!.slice(0, cut))}/${names.length === 1 ? names[0] : `{${names.join(',')}}`}`
  const typed = columns.map(([name, type]) => `${spark.name(name)} ${type}`).join(', ')
  return `CREATE OR REPLACE TEMPORARY VIEW ${relation} (${typed}) USING parquet OPTIONS (path ${spark.text(path)})`
}
