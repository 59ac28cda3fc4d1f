import { type Dataset, nameColumns } from '../../schemas/dataset.ts'
import { nameFault } from '../../schemas/name.ts'
import { duckdb } from '../../schemas/sql/duckdb.ts'
import { type Ranks, ranksOf } from './date-sql.ts'
import type { ImportEngine } from './engine.ts'
import type { StagedRows } from './staged-rows.ts'
import { tornSql } from './torn.ts'

/** Refused rows that are kept of one file. */
const KEPT_MAX = 100_000
/** Names in one statement. */
const NAMES_AT_ONCE = 500

/** Rows refused for one reason. */
export interface Refusal {
  readonly why: string
  readonly rows: number
  /** Where the first of them is, from 1: its row, or its line where it is torn. */
  readonly first: number
  readonly unit: 'row' | 'line'
}

/** What is refused of staged rows, and how the others are told apart. */
export interface Sorted {
  /** Most rows first. */
  readonly refused: readonly Refusal[]
  /** Condition on rows without another fault: they have no name which no message may have. */
  readonly namesRight: string
  /** Of each column of names, see `dateSql`. */
  readonly ranks: readonly (Ranks | null)[]
}

/** Sorts out what is no message. */
export async function sortOut(
  engine: ImportEngine,
  rows: StagedRows,
  dataset: Dataset,
  unit: Refusal['unit'],
): Promise<Sorted> {
  const faulty = await faultyRows(engine, rows, unit)
  const torn = await tornRows(engine)
  const names = await wrongNames(engine, rows, dataset, { areOthersRight: faulty.length === 0, unit })
  const refused = [...faulty, ...torn, ...names.refused].sort((a, b) => b.rows - a.rows)
  return { ...names, refused }
}

async function faultyRows(
  engine: ImportEngine,
  { all, mayBeRefused }: StagedRows,
  unit: Refusal['unit'],
): Promise<Refusal[]> {
  if (!mayBeRefused) return []
  const found = (await engine.run(
    `SELECT why, count(*)::DOUBLE, min(r)::DOUBLE FROM ${all} WHERE why IS NOT NULL GROUP BY why`,
  )) as [string, number, number][]
  return found.map(([why, rows, first]) => ({ why, rows, first, unit }))
}

/** Rows of a CSV file that have other than the header's fields, and what is torn in another way. */
async function tornRows(engine: ImportEngine): Promise<Refusal[]> {
  const torn = await tornSql((sql) => engine.run(sql))
  if (torn === null) return []
  const found = (await engine.run(
    `SELECT why, count(DISTINCT line)::DOUBLE, min(line)::DOUBLE FROM (${torn}) GROUP BY why`,
  )) as [string, number, number][]
  return found.map(([why, rows, first]) => ({ why, rows, first, unit: 'line' }))
}

/** Where no row has another fault, names alone are read. */
async function wrongNames(
  engine: ImportEngine,
  { all, isEmpty }: StagedRows,
  dataset: Dataset,
  { areOthersRight, unit }: { areOthersRight: boolean; unit: Refusal['unit'] },
): Promise<Sorted> {
  const refused: Refusal[] = []
  const ranks: (Ranks | null)[] = []
  let namesRight = 'true'
  if (isEmpty) return { refused, ranks, namesRight }
  const accepted = areOthersRight ? 'true' : 'why IS NULL'
  for (const [i, column] of nameColumns(dataset).entries()) {
    const names = (await engine.run(`SELECT DISTINCT n${i} FROM ${all} WHERE ${accepted}`)).map(
      ([name]) => name as string,
    )
    const known = ranksOf(`rank${i}`, names)
    if (known !== null) await engine.run(known.sql)
    ranks.push(known)
    const wrong = names.flatMap((name) => {
      const fault = nameFault(name)
      return fault === null ? [] : [`(${duckdb.text(name)}, ${duckdb.text(fault)})`]
    })
    if (wrong.length === 0) continue
    await engine.run(`CREATE TEMP TABLE wrong${i} (name VARCHAR, fault VARCHAR)`)
    for (let from = 0; from < wrong.length; from += NAMES_AT_ONCE)
      await engine.run(`INSERT INTO wrong${i} VALUES ${wrong.slice(from, from + NAMES_AT_ONCE).join()}`)
    const found = (await engine.run(
      `SELECT fault, count(*)::DOUBLE, min(r)::DOUBLE FROM ${all} JOIN wrong${i} ON n${i} = name WHERE why IS NULL AND ${namesRight} GROUP BY fault ORDER BY 3`,
    )) as [string, number, number][]
    for (const [fault, rows, first] of found) refused.push({ why: `${column} ${fault}`, rows, first, unit })
    namesRight += ` AND n${i} NOT IN (SELECT name FROM wrong${i})`
  }
  return { refused, ranks, namesRight }
}

/** Writes the refused rows, or as many as are kept, as CSV to `path`: row, reason, what the row holds as JSON, or the torn line. */
export async function keepRefused(
  engine: ImportEngine,
  { all }: StagedRows,
  { namesRight }: Sorted,
  { dataset, path }: { dataset: Dataset; path: string },
): Promise<void> {
  const lines = await tornSql((sql) => engine.run(sql))
  const torn = lines === null ? '' : ` UNION ALL ${lines}`
  const row = [
    ...nameColumns(dataset).map((name, i) => `${duckdb.text(name)}: n${i}`),
    `'time_stamp': strftime(make_timestamp(ms * 1000), '%Y-%m-%dT%H:%M:%S.%gZ')`,
    ...dataset.gauges.map(({ name }, i) => `${duckdb.text(name)}: g${i}`),
  ]
  const wrong = `SELECT r, 'a name that no message may have', to_json({${row.join(', ')}})::VARCHAR FROM ${all} WHERE why IS NULL AND NOT (${namesRight})`
  await engine.run(
    `COPY (SELECT r AS "row", why AS reason, raw AS content FROM ${all} WHERE why IS NOT NULL${torn} UNION ALL ${wrong} ORDER BY 1 LIMIT ${KEPT_MAX}) TO ${duckdb.text(path)} (FORMAT csv, HEADER)`,
  )
}
