import { type Dataset, nameColumns } from '../../schemas/dataset.ts'
import { nameFault } from '../../schemas/name.ts'
import { duckdb } from '../../schemas/sql/duckdb.ts'
import { DAY_MS, HOUR_MS } from '../../schemas/time.ts'
import { compareUtf8 } from '../../schemas/utf8.ts'

/** Names of a type of their own. */
const RANKED_MAX = 10_000
/** The engine's whole numbers are below it, with room to spare. */
const LONG_MAX = 2 ** 62

/** The names of a column in their order, as a type of the engine: a name's code is its rank. */
export interface Ranks {
  readonly type: string
  readonly names: number
}

/** Ranks of names, and the statement that makes their type. Null where there cannot or should not be one. */
export function ranksOf(type: string, names: readonly string[]): (Ranks & { readonly sql: string }) | null {
  const right = names.filter((name) => nameFault(name) === null).sort(compareUtf8)
  if (right.length === 0 || right.length > RANKED_MAX) return null
  return {
    type,
    names: right.length,
    sql: `CREATE TYPE ${type} AS ENUM (${right.map(duckdb.text).join(', ')})`,
  }
}

export interface DateRows {
  /** Of the import. */
  readonly offset: number
  /** Midnight, at which the date begins. */
  readonly fromMs: number
  /** Which of the rows: a condition. */
  readonly where: string
  /** Of each column of names. */
  readonly ranks: readonly (Ranks | null)[]
}

/** The rows of a UTC date, staged, as the table of messages has them, in its order: by hour, names, time and place in the file. */
export function dateSql(staged: string, dataset: Dataset, date: DateRows): string {
  const { offset, where, ranks } = date
  const renamed = (names: readonly string[], letter: string, type: string) =>
    names.map((name, i) => `${letter}${i}::${type} AS ${duckdb.name(name)}`)
  const names = nameColumns(dataset)
  const columns = [
    ...renamed(names, 'n', 'VARCHAR'),
    `${duckdb.timestamp('ms')} AS time_stamp`,
    ...renamed(
      dataset.gauges.map(({ name }) => name),
      'g',
      'DOUBLE',
    ),
    ...renamed(dataset.attributes, 'a', 'VARCHAR'),
    'ag AS agent',
    'sq AS seq',
    '(-1)::INTEGER AS "partition"',
    `${offset}::BIGINT AS "offset"`,
    'r::INTEGER AS "index"',
  ]
  const ranked = names.map((_, i) => (ranks[i] ? `TRY_CAST(n${i} AS ${ranks[i].type})` : `n${i}`))
  const rows = `SELECT * REPLACE (${ranked.map((sql, i) => `${sql} AS n${i}`).join(', ')}) FROM ${staged} WHERE ${where}`
  // A file that has changed since may have other names: its rows are then too few.
  const known = names.map((_, i) => `n${i} IS NOT NULL`).join(' AND ')
  const order =
    orderInOne(date, names.length) ??
    ['floor(ms / 3600000)', ...names.map((_, i) => `n${i}`), 'ms'].join(', ')
  // Sorted before they are renamed: a rank is smaller than a name.
  return `SELECT ${columns.join(', ')} FROM (SELECT * FROM (${rows}) WHERE ${known} ORDER BY ${order}, r)`
}

/** Hour, ranks and time as one whole number, by which rows are sorted in three quarters of the time. Null where that cannot be. */
function orderInOne({ fromMs, ranks }: DateRows, columns: number): string | null {
  let [sql, values] = [`((ms - ${fromMs}) // ${HOUR_MS})`, DAY_MS]
  for (let i = 0; i < columns; i++) {
    const known = ranks[i] ?? null
    if (known === null) return null
    sql = `(${sql} * ${known.names} + enum_code(n${i}))`
    values *= known.names
  }
  return values < LONG_MAX ? `${sql} * ${HOUR_MS} + (ms - ${fromMs}) % ${HOUR_MS}` : null
}
