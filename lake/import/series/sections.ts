import { duckdb } from '../../../schemas/sql/duckdb.ts'
import type { ImportCompression } from '../columns.ts'
import type { ImportEngine } from '../engine.ts'
import { type LikeTables, tablesOf } from './influx.ts'

/** Files of several tables of CSV, each with a row for each time and a column for each value. */

/** Numbers of sadf that say of which device its row is. */
const SADF_DEVICES = ['CPU', 'INTR', 'TTY', 'FAN', 'TEMP', 'IN', 'BUS']
/** Of all processors, as sadf writes it. */
const SADF_ALL = '-1'

/** Its decimal comma is that of the language in which it ran. */
const pointed = (cell: string) => `replace(${cell}, ',', '.')`
const asItIs = (cell: string) => cell

/**
 * Of `sadf -d`, the values as `t`, `v` and `s`: a table for each activity that was asked for, each with a header behind `# `. Of `sadf -dh`, one
 * table whose header ends the columns of an activity with `[...]`.
 */
export async function sadfRows(
  path: string,
  compression: ImportCompression,
  engine: ImportEngine,
): Promise<string> {
  const { from, tables } = await tablesOf({ path, delimiter: ';', compression }, engine, {
    headerLine: "line LIKE '# hostname;%'",
    headerCells: () => "c0 = '# hostname'",
  })
  const parts = tables.map(async ({ columns, where }) => {
    const names = columns.map((name) => name.replace(/^# /, '').replace(/\[\.\.\.\]$/, ''))
    // Rows that say that the machine was started, or a comment, have no values.
    const rows = `${where} AND c0 NOT LIKE '#%' AND coalesce(c3, '') NOT LIKE 'LINUX-RESTART%' AND coalesce(c3, '') NOT LIKE 'COM %'`
    const named = { columns: names, where: rows }
    const texts = await textColumns(from, named, engine, pointed)
    const isLabel = (name: string) => texts.has(name) || SADF_DEVICES.includes(name)
    return valuesSql(from, named, {
      time: 'timestamp',
      measurement: null,
      labels: names.filter((name) => name !== 'timestamp' && isLabel(name)),
      values: names.filter(
        (name) => name !== '' && name !== 'interval' && name !== 'timestamp' && !isLabel(name),
      ),
      value: pointed,
      label: (cell) => `CASE ${cell} WHEN '${SADF_ALL}' THEN 'all' ELSE ${cell} END`,
    })
  })
  return (await Promise.all(parts)).join(' UNION ALL ')
}

/** Of `influx -format csv` and CSV of its API, version 1: tables whose header begins with `name`; text is a tag, and a number a value. */
export async function influxqlRows(
  path: string,
  compression: ImportCompression,
  engine: ImportEngine,
): Promise<string> {
  const { from, tables } = await tablesOf({ path, delimiter: ',', compression }, engine, {
    headerLine: "line LIKE 'name,%'",
    headerCells: (names) => `c0 = 'name' AND 'time' IN (${names.join(', ')})`,
  })
  const parts = tables.map(async (table) => {
    const texts = await textColumns(from, table, engine, asItIs)
    const columns = table.columns.filter((name) => !['', 'name', 'time'].includes(name))
    return valuesSql(from, table, {
      time: 'time',
      measurement: 'name',
      labels: columns.filter((name) => name === 'tags' || texts.has(name)),
      values: columns.filter((name) => name !== 'tags' && !texts.has(name)),
      value: asItIs,
      label: asItIs,
    })
  })
  return (await Promise.all(parts)).join(' UNION ALL ')
}

/** Columns of which a cell is no number. */
async function textColumns(
  from: string,
  { columns, where }: LikeTables,
  engine: ImportEngine,
  value: (cell: string) => string,
): Promise<ReadonlySet<string>> {
  const wrong = columns.map((_, i) => `(count(c${i}) > count(TRY_CAST(${value(`c${i}`)} AS DOUBLE)))`)
  const [row] = (await engine.run(`SELECT ${wrong.join(', ')} FROM ${from} WHERE ${where}`)) as boolean[][]
  return new Set(columns.filter((_, i) => row![i]))
}

function valuesSql(
  from: string,
  { columns, where }: LikeTables,
  of: {
    readonly time: string
    /** The column of the measurement. */
    readonly measurement: string | null
    readonly labels: readonly string[]
    readonly values: readonly string[]
    /** A number, of its cell. */
    readonly value: (cell: string) => string
    /** A label's value, of its cell. */
    readonly label: (cell: string) => string
  },
): string {
  const cell = (name: string) => `c${columns.indexOf(name)}`
  const measurement = of.measurement === null ? "''" : cell(of.measurement)
  const labels = of.labels.flatMap((name) => [duckdb.text(name), of.label(cell(name))])
  const series = of.values.map(
    (name) => `to_json([${[measurement, duckdb.text(name), ...labels].join(', ')}])::VARCHAR`,
  )
  const listed = (sql: readonly string[]) => (sql.length === 0 ? '[]::VARCHAR[]' : `[${sql.join(', ')}]`)
  return `SELECT ${cell(of.time)} AS t, unnest(${listed(of.values.map((name) => of.value(cell(name))))}) AS v, unnest(${listed(series)}) AS s FROM ${from} WHERE ${where}`
}
