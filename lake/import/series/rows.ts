import type { Dataset } from '../../../schemas/dataset.ts'
import { describeError, TidemarkError } from '../../../schemas/errors.ts'
import { duckdb } from '../../../schemas/sql/duckdb.ts'
import type { ImportSource } from '../columns.ts'
import type { ImportEngine } from '../engine.ts'
import type { ImportOptions } from '../named-column.ts'
import { isNothing } from '../rows-sql.ts'
import type { SeriesForm } from './form.ts'
import { type Pivot, planPivot } from './plan.ts'

/** Series of one file at most. */
const SERIES_MAX = 100_000
/** Series of one statement. */
const CHUNK = 500
/** The rows that were made of a file's series, as a file of their own. */
export interface SeriesRows {
  readonly path: string
  readonly source: ImportSource
}

/** Makes rows of the series of a file: one for each time and the labels that are the dataset's names. Throws `E_USAGE`. */
export async function rowsOfSeries(
  form: SeriesForm,
  { engine, dataset, options }: { engine: ImportEngine; dataset: Dataset; options: ImportOptions },
): Promise<SeriesRows> {
  const values = engine.path('values.parquet')
  const from = typeof form.rows === 'string' ? form.rows : await form.rows(engine)
  const isTorn = form.torn === undefined ? '' : 's IS NULL OR '
  const present = `SELECT trim(t) AS t, v, s FROM (${from}) WHERE ${isTorn}(v IS NOT NULL AND NOT ${isNothing('trim(v)')})`
  const copy = `COPY (${present}) TO ${duckdb.text(values)} (FORMAT parquet, COMPRESSION lz4)`
  try {
    await (form.isOneObject ? engine.runLarge(copy) : engine.run(copy))
  } catch (error) {
    throw form.objectBytesMax === undefined ? error : tooLarge(error, form.words, form.objectBytesMax)
  }
  const written = `read_parquet(${duckdb.text(values)})`
  const relation = form.torn === undefined ? written : `(SELECT * FROM ${written} WHERE s IS NOT NULL)`
  if (form.torn !== undefined)
    await engine.keepTorn(`SELECT t::BIGINT AS line, v AS content FROM ${written} WHERE s IS NULL`, form.torn)
  const found = (await engine.run(
    `SELECT DISTINCT s FROM ${relation} ORDER BY s LIMIT ${SERIES_MAX + 1}`,
  )) as [string][]
  if (found.length === 0) throw usage('the file has no values', form.emptyHint)
  if (found.length > SERIES_MAX)
    throw usage(`the file has more than ${SERIES_MAX.toLocaleString('en')} series; divide it`)
  const pivot = planPivot(
    found.map(([s]) => form.nameOf(s)),
    dataset,
    options,
  )
  await engine.run(
    `CREATE TEMP TABLE series_of_file (s VARCHAR, c INTEGER${pivot.labels.map((_, l) => `, l${l} VARCHAR`).join('')})`,
  )
  for (let i = 0; i < found.length; i += CHUNK) {
    const rows = found.slice(i, i + CHUNK).flatMap(([s], n) => {
      const { value, labels } = pivot.series[i + n]!
      return value === -1 ? [] : [`(${[duckdb.text(s), value, ...labels.map(duckdb.text)].join(', ')})`]
    })
    if (rows.length > 0) await engine.run(`INSERT INTO series_of_file VALUES ${rows.join(', ')}`)
  }
  const path = engine.path('series.parquet')
  await engine.run(
    `COPY (${rowsSql(relation, form.time, pivot)}) TO ${duckdb.text(path)} (FORMAT parquet, COMPRESSION lz4)`,
  )
  const columns = await engine.parquetColumns(path)
  const series = {
    words: form.words,
    count: found.length,
    values: pivot.names,
    repeated: await repeated(engine, relation, path, pivot),
  }
  return { path, source: { format: 'parquet', compression: 'none', columns, series } }
}

/** Where a series has several values at one time the smallest text is taken, so that the same file always gives the same rows. */
function rowsSql(values: string, time: string, { labels, values: names }: Pivot): string {
  const columns = [
    `t AS ${duckdb.name(time)}`,
    ...labels.map((label, l) => `l${l} AS ${duckdb.name(label)}`),
    ...names.map((name, c) => `min(v) FILTER (c = ${c}) AS ${duckdb.name(name)}`),
  ]
  const keys = ['t', ...labels.map((_, l) => `l${l}`)].join(', ')
  return `SELECT ${columns.join(', ')} FROM ${values} JOIN series_of_file USING (s) GROUP BY ${keys} ORDER BY ${keys}`
}

/** Returns the number of values that are in no row, since another of the same series and time is. */
async function repeated(
  engine: ImportEngine,
  values: string,
  path: string,
  { values: names }: Pivot,
): Promise<number> {
  const taken = names.map((name) => `count(${duckdb.name(name)})`).join(' + ')
  const [[all, kept]] = (await engine.run(
    `SELECT (SELECT count(*) FROM ${values} JOIN series_of_file USING (s))::DOUBLE, (SELECT ${taken} FROM read_parquet(${duckdb.text(path)}))::DOUBLE`,
  )) as [[number, number]]
  return all - kept
}

/** What an object is refused for that takes more memory than there is, in words; any other error as it is. */
function tooLarge(error: unknown, words: string, bytesMax: number): unknown {
  if (!/maximum_object_size|out of memory/i.test(describeError(error))) return error
  const mib = bytesMax / 2 ** 20
  return new TidemarkError(
    'E_USAGE',
    `${words} is read as a whole, and is larger than ${mib} MiB or than memory allows`,
    {
      hint: 'ask for a shorter range, a longer step or fewer series at a time, and import the answers one after the other',
      cause: error,
    },
  )
}

function usage(message: string, hint?: string): TidemarkError {
  return new TidemarkError('E_USAGE', message, hint === undefined ? {} : { hint })
}
