import { type Dataset, nameColumns } from '../../schemas/dataset.ts'
import { duckdb } from '../../schemas/sql/duckdb.ts'
import { TIME_MS_MIN } from '../../schemas/time.ts'
import type { CsvForm, ImportColumn, ImportSource } from './columns.ts'
import { type Meaning, type Origin, SOURCE_DEFAULT } from './meaning.ts'
import type { TimeForm, TimeUnit } from './times.ts'

/**
 * The SQL by which DuckDB reads a file. Staged rows have plain names: `r` (number of the row in the file, from 1), `n0…` the
 * names, `ms`, `g0…` the gauges, `a0…` the attributes, `ag` and `sq` agent and number, `why` a row is refused or NULL, `raw`
 * what a refused row holds, `day` its UTC date.
 */

/** `day` of the rows that are refused. */
export const REFUSED = 'refused'

/** The table function that gives the file's rows. */
export function sourceSql(path: string, { format, compression, columns, csv }: ImportSource): string {
  if (format === 'parquet') return `read_parquet(${duckdb.text(path)}, file_row_number = true)`
  const types = columns.map(({ name }) => `${duckdb.text(name)}: 'VARCHAR'`).join(', ')
  if (format === 'ndjson')
    return `read_json(${duckdb.text(path)}, format = 'newline_delimited', columns = {${types}}, compression = '${compression === 'none' ? 'uncompressed' : compression}', ignore_errors = true)`
  return `read_csv(${duckdb.text(path)}, ${csvOptions(csv!)}, compression = '${compression}', columns = {${types}})`
}

function csvOptions({ delimiter, quoteEscape, skip, comments }: CsvForm): string {
  return [
    'auto_detect = false, header = false',
    `delim = ${duckdb.text(delimiter)}, skip = ${skip}, quote = '"', escape = ${duckdb.text(quoteEscape)}`,
    ...(comments ? ["comment = '#'"] : []),
    "store_rejects = true, rejects_table = 'torn_rows', rejects_scan = 'torn_scans', rejects_limit = 0",
  ].join(', ')
}

/** Every row of the file, staged. */
export function stagedSql(
  path: string,
  source: ImportSource,
  { dataset, meaning, zone, nowMs }: { dataset: Dataset; meaning: Meaning; zone: string; nowMs: number },
): string {
  const number = source.format === 'parquet' ? 'file_row_number + 1' : 'row_number() OVER ()'
  const columns = nameColumns(dataset)
  const names = meaning.names.map((origin, i) => {
    const text = textSql(origin)
    return `${columns[i] === dataset.source ? sourceOr(text) : text} AS n${i}`
  })
  const gauges = meaning.gauges.map((origin, i) => `${origin === null ? 'NULL' : gaugeSql(origin)} AS g${i}`)
  const attributes = meaning.attributes.map(
    (origin, i) => `${origin === null ? 'NULL' : textSql(origin)} AS a${i}`,
  )
  const { agent } = meaning
  const values = [
    `${number} AS r`,
    ...names,
    `${timeSql(meaning.time.column, meaning.time.form, zone)} AS ms`,
    ...gauges,
    ...attributes,
    `${agent === null ? 'NULL::VARCHAR' : columnText(agent.agent)} AS ag`,
    `${agent === null ? 'NULL::BIGINT' : `TRY_CAST(${duckdb.name(agent.seq.name)} AS BIGINT)`} AS sq`,
    'source AS whole',
  ]
  const why = `CASE ${faults(dataset, meaning, nowMs)
    .map(({ when, why }) => `WHEN ${when} THEN ${duckdb.text(why)}`)
    .join(' ')} END`
  return `SELECT * EXCLUDE (whole), CASE WHEN why IS NULL THEN NULL ELSE to_json(whole)::VARCHAR END AS raw,
    CASE WHEN why IS NULL THEN make_timestamp(ms * 1000)::DATE::VARCHAR ELSE ${duckdb.text(REFUSED)} END AS day
    FROM (SELECT *, ${why} AS why FROM (SELECT ${values.join(', ')} FROM ${sourceSql(path, source)} AS source))`
}

interface Fault {
  readonly when: string
  readonly why: string
}

/** What a row is refused for, the first that holds. */
function faults(dataset: Dataset, meaning: Meaning, nowMs: number): Fault[] {
  const names = nameColumns(dataset).map((name, i) => {
    return { when: `n${i} IS NULL OR n${i} = ''`, why: `${name} is missing` }
  })
  const gauges = dataset.gauges.flatMap(({ name, min, max, optional }, i): Fault[] => {
    const origin = meaning.gauges[i]
    if (origin === null || origin === undefined) return []
    const range = `${min} to ${max}`
    return [
      ...(optional ? [] : [{ when: `g${i} IS NULL`, why: `${name} is missing` }]),
      // What cannot be read is marked so, and told apart from what is not there.
      { when: `isnan(g${i})`, why: `${name} is no number` },
      {
        when: `NOT (g${i} BETWEEN ${duckdb.double(min)} AND ${duckdb.double(max)})`,
        why: `${name} is not from ${range}`,
      },
    ]
  })
  return [
    ...names,
    { when: 'ms IS NULL', why: 'time_stamp is no time' },
    { when: `ms < ${TIME_MS_MIN}`, why: 'time_stamp is before the year 1' },
    { when: `ms > ${nowMs}`, why: 'time_stamp is ahead of the clock' },
    ...gauges,
  ]
}

function columnText({ name, type }: ImportColumn): string {
  return type === 'VARCHAR' ? duckdb.name(name) : `${duckdb.name(name)}::VARCHAR`
}

function textSql(origin: Origin): string {
  return 'constant' in origin ? duckdb.text(origin.constant) : columnText(origin.column)
}

/** A message may lack its source. */
function sourceOr(text: string): string {
  return `coalesce(nullif(${text}, ''), ${duckdb.text(SOURCE_DEFAULT)})`
}

/** A double; NaN for what is none, NULL for what is empty. */
function gaugeSql(origin: Origin): string {
  if ('constant' in origin) return duckdb.double(Number(origin.constant))
  const column = duckdb.name(origin.column.name)
  if (origin.column.type !== 'VARCHAR') return `TRY_CAST(${column} AS DOUBLE)`
  const trimmed = `rtrim(trim(${column}), ' %')`
  const text = hasDecimalComma(origin.column) ? `replace(replace(${trimmed}, '.', ''), ',', '.')` : trimmed
  return `CASE WHEN trim(${column}) = '' OR ${column} IS NULL THEN NULL ELSE coalesce(TRY_CAST(${text} AS DOUBLE), 'nan'::DOUBLE) END`
}

/** Whether numbers are written like `1.234,5`. */
export function hasDecimalComma({ samples }: ImportColumn): boolean {
  const commas = samples.filter((text) => /^-?\d+(\.\d{3})*,\d+ ?%?$/.test(text))
  return (
    commas.length > 0 && samples.every((text) => !/^-?\d+\.\d+$/.test(text) || /^-?\d+(\.\d{3})+$/.test(text))
  )
}

const PER_MS: { readonly [unit in TimeUnit]: number } = { s: 1 / 1_000, ms: 1, us: 1_000, ns: 1_000_000 }

/** Milliseconds since 1970, rounded down; NULL for what is no time. */
function timeSql(column: ImportColumn, form: TimeForm, zone: string): string {
  const name = duckdb.name(column.name)
  const text = `trim(${columnText(column)})`
  // The engine's own parser takes no comma in seconds, as ISO 8601 allows.
  const iso = `replace(${text}, ',', '.')`
  const inZone = (local: string) => `epoch_ms((${local}) AT TIME ZONE ${duckdb.text(zone)})`
  switch (form.kind) {
    case 'typed':
      return form.zoned ? `epoch_ms(${name})` : inZone(`${name}::TIMESTAMP`)
    case 'zoned':
      return `epoch_ms(TRY_CAST(${iso} AS TIMESTAMPTZ))`
    case 'local':
      return inZone(`TRY_CAST(${iso} AS TIMESTAMP)`)
    case 'format':
      return inZone(`try_strptime(${text}, [${form.formats.map(duckdb.text).join(', ')}])`)
    case 'number': {
      if (form.unit === 's') return `TRY_CAST(floor(TRY_CAST(${name} AS DOUBLE) * 1000) AS BIGINT)`
      const per = PER_MS[form.unit]
      const whole = `TRY_CAST(${name} AS BIGINT)`
      return `((${whole} - ((${whole} % ${per}) + ${per}) % ${per}) // ${per})`
    }
  }
}

/** The rows of a UTC date as the table of messages has them, in its order. */
export function dateSql(
  staged: string,
  dataset: Dataset,
  { offset, where }: { offset: number; where: string },
): string {
  const named = (names: readonly string[], letter: string) =>
    names.map((name, i) => `${letter}${i} AS ${duckdb.name(name)}`)
  const names = nameColumns(dataset)
  const columns = [
    ...named(names, 'n'),
    `${duckdb.timestamp('ms')} AS time_stamp`,
    ...dataset.gauges.map(({ name }, i) => `g${i}::DOUBLE AS ${duckdb.name(name)}`),
    ...dataset.attributes.map((name, i) => `a${i}::VARCHAR AS ${duckdb.name(name)}`),
    'ag AS agent',
    'sq AS seq',
    '(-1)::INTEGER AS "partition"',
    `${offset}::BIGINT AS "offset"`,
    'r::INTEGER AS "index"',
  ]
  const order = ['floor(ms / 3600000)', ...names.map((_, i) => `n${i}`), 'ms', 'r']
  return `SELECT ${columns.join(', ')} FROM ${staged} WHERE ${where} ORDER BY ${order.join(', ')}`
}
