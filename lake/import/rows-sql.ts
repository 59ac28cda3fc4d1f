import { type Dataset, nameColumns } from '../../schemas/dataset.ts'
import { duckdb } from '../../schemas/sql/duckdb.ts'
import { TIME_MS_MIN } from '../../schemas/time.ts'
import type { CsvForm, ImportColumn, ImportCompression, ImportFormat, ImportSource } from './columns.ts'
import { type Meaning, type Origin, SOURCE_DEFAULT } from './meaning.ts'
import type { Found } from './named-column.ts'
import { GROUPS, MARKED, type NumberMarks, numberMarks } from './number-marks.ts'
import type { TimeForm, TimeUnit } from './times.ts'

/**
 * The SQL by which DuckDB reads a file. Staged rows have plain names: `r` (number of the row in the file, from 1), `n0…` the
 * names, `ms`, `g0…` the gauges, `a0…` the attributes, `ag` and `sq` agent and number, `why` a row is refused or NULL, `raw`
 * what a refused row holds, `day` its UTC date.
 */

/** `day` of the rows that are refused. */
export const REFUSED = 'refused'

/** A relation like that of staged rows, for a file that has none. */
export const NO_ROWS = `(SELECT NULL::VARCHAR AS day, NULL::VARCHAR AS why, NULL::VARCHAR AS raw, 0 AS r, NULL::VARCHAR AS n0 WHERE false)`

/** A relation with the file's columns, and `r` where its rows have numbers of their own. */
export function sourceSql(path: string, source: ImportSource): string {
  const { format, compression, columns, csv } = source
  if (format === 'parquet') return parquetSql(path, columns)
  if (format === 'ndjson') return jsonSql(path, source)
  const types = columns.map(({ name }) => `${duckdb.text(name)}: 'VARCHAR'`).join(', ')
  return `read_csv(${duckdb.text(path)}, ${csvOptions(csv!)}, compression = '${compression}', columns = {${types}})`
}

/** Fields within columns stand beside these. */
function parquetSql(path: string, columns: readonly ImportColumn[]): string {
  const rows = `read_parquet(${duckdb.text(path)}, file_row_number = true)`
  const fields = columns.flatMap(({ name, field }) => (field ? [`${field} AS ${duckdb.name(name)}`] : []))
  return fields.length === 0 ? rows : `(SELECT *, ${fields.join(', ')} FROM ${rows})`
}

/** The row's number in the file, from 1; of JSON lines that of the line. */
const NUMBER: { readonly [format in ImportFormat]: string } = {
  csv: 'row_number() OVER ()',
  ndjson: 'json_row',
  parquet: 'file_row_number + 1',
}

/**
 * The values of each object, as text. Lines are read as such: the engine's own reader takes the line behind a torn one for its rest.
 * `json_text` is what stands there, `json_torn` whether it is no object.
 */
function jsonSql(path: string, { columns, compression, json }: ImportSource): string {
  const objects =
    json === 'array'
      ? `SELECT row_number() OVER () AS json_row, json::VARCHAR AS json_text FROM ${jsonArraySql(path, compression)}`
      : `SELECT row_number() OVER () AS json_row, json_text FROM ${linesSql(path, compression)}`
  const pointers = columns.map(({ pointer }) => duckdb.text(pointer!)).join(', ')
  const values = columns.map(({ name }, i) => `json_values[${i + 1}] AS ${duckdb.name(name)}`)
  return `(SELECT json_row, json_text, json_values IS NULL AS json_torn, ${values.join(', ')}
    FROM (SELECT *, json_extract_string(CASE WHEN json_valid(json_text) AND ltrim(json_text)[1] = '{' THEN json_text END, [${pointers}]) AS json_values
    FROM (${objects}) WHERE trim(json_text) <> ''))`
}

/** The compression, as readers of JSON call it. */
export function jsonCompression(compression: ImportCompression): string {
  return `compression = '${compression === 'none' ? 'uncompressed' : compression}'`
}

/** Objects of one array. */
export function jsonArraySql(path: string, compression: ImportCompression): string {
  return `read_json_objects(${duckdb.text(path)}, format = 'array', ${jsonCompression(compression)})`
}

/** Whole lines of a text, as `json_text`; those beyond what the engine's reader takes are torn rows. */
export function linesSql(path: string, compression: ImportCompression): string {
  return `read_csv(${duckdb.text(path)}, auto_detect = false, header = false, delim = '\u001f', quote = '', escape = '', compression = '${compression}',
    columns = {json_text: 'VARCHAR'}, ${TORN})`
}

function csvOptions({ delimiter, quoteEscape, skip, comments }: CsvForm): string {
  return [
    'auto_detect = false, header = false',
    `delim = ${duckdb.text(delimiter)}, skip = ${skip}, quote = '"', escape = ${duckdb.text(quoteEscape)}`,
    ...(comments ? ["comment = '#'"] : []),
    TORN,
  ].join(', ')
}

/** What the reader of CSV cannot take goes into a table. */
export const TORN =
  "store_rejects = true, rejects_table = 'torn_rows', rejects_scan = 'torn_scans', rejects_limit = 0"

/** How the rows of a file are read. */
export interface Reading {
  readonly dataset: Dataset
  readonly meaning: Meaning
  readonly zone: string
  /** Times after it are refused. */
  readonly nowMs: number
}

/** Rows of a file by their numbers, from 1; both belong to it. */
export interface RowSpan {
  readonly first: number
  readonly last: number
}

/** Every row of the file, staged; of a Parquet file also those of `span` alone, for which no more is read. */
export function stagedSql(
  path: string,
  source: ImportSource,
  { dataset, meaning, zone, nowMs }: Reading,
  span: RowSpan | null = null,
): string {
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
    `${NUMBER[source.format]} AS r`,
    ...names,
    `${timeSql(meaning.time.column, meaning.time.form, zone)} AS ms`,
    ...gauges,
    ...attributes,
    `${agent === null ? 'NULL::VARCHAR' : columnText(agent.agent)} AS ag`,
    `${agent === null ? 'NULL::BIGINT' : `TRY_CAST(${duckdb.name(agent.seq.name)} AS BIGINT)`} AS sq`,
    ...(source.format === 'ndjson'
      ? ['json_text AS whole', 'json_torn AS torn']
      : ['source AS whole', 'false AS torn']),
  ]
  const raw = source.format === 'ndjson' ? 'whole' : 'to_json(whole)::VARCHAR'
  const why = `CASE WHEN torn THEN 'no JSON object' ${faults(dataset, meaning, nowMs)
    .map(({ when, why }) => `WHEN ${when} THEN ${duckdb.text(why)}`)
    .join(' ')} END`
  const within = span === null ? '' : ` WHERE file_row_number BETWEEN ${span.first - 1} AND ${span.last - 1}`
  return `SELECT * EXCLUDE (whole, torn), CASE WHEN why IS NULL THEN NULL ELSE ${raw} END AS raw,
    CASE WHEN why IS NULL THEN make_timestamp(ms * 1000)::DATE::VARCHAR ELSE ${duckdb.text(REFUSED)} END AS day
    FROM (SELECT *, ${why} AS why FROM (SELECT ${values.join(', ')} FROM ${sourceSql(path, source)} AS source${within}))`
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
    const range = `${boundText(min)} to ${boundText(max)}`
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

/** A bound as a person writes it. */
function boundText(bound: number): string {
  return Math.abs(bound) < 1e6 ? String(bound) : bound.toExponential().replace('e+', 'e')
}

/** The text of a column, as SQL. */
export function columnText({ name, type, parts }: ImportColumn): string {
  if (parts !== undefined) {
    const [date, clock] = parts
    const day = date.type.startsWith('TIMESTAMP')
      ? `${duckdb.name(date.name)}::DATE::VARCHAR`
      : columnText(date)
    return `(trim(${day}) || ' ' || trim(${columnText(clock)}))`
  }
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
  const number = numberSql(origin)
  if (!origin.arithmetic) return number
  const { times, from } = origin.arithmetic
  const product = times === 1 ? number : `(${number}) * ${duckdb.double(times)}`
  // 0.15 times 100 is 15, and 100 less 92.841 is 7.159.
  return `round(${from === null ? product : `${duckdb.double(from)} - ${product}`}, 10)`
}

/**
 * Whether a text is what tools write where there is no value. No `IN`, which the engine makes a join of, without the progress that an import
 * shows.
 */
export function isNothing(text: string): string {
  return `list_contains(['', 'null', 'undefined', 'nan', 'none', 'n/a', 'na', '-', '--', '\\n'], lower(${text}))`
}

function numberSql(origin: Found): string {
  const column = duckdb.name(origin.column.name)
  if (origin.column.type !== 'VARCHAR') {
    const number = `TRY_CAST(${column} AS DOUBLE)`
    return `CASE WHEN isnan(${number}) THEN NULL ELSE ${number} END`
  }
  const trimmed = `rtrim(trim(${column}), ' %')`
  const text = plainSql(trimmed, numberMarks(origin.column.samples))
  const number = `TRY_CAST(${text} AS DOUBLE)`
  return `CASE WHEN isfinite(${number}) THEN ${number} WHEN ${column} IS NULL OR ${isNothing(trimmed)} THEN NULL ELSE 'nan'::DOUBLE END`
}

/** A number as it is read, without marks. What is written otherwise than the values that were looked at stays as it is. */
function plainSql(text: string, marks: NumberMarks): string {
  if (marks === 'none') return text
  const ungrouped = (groups: string) => `translate(${text}, ${duckdb.text(groups)}, '')`
  const plain = marks === 'comma' ? `replace(${ungrouped(`.${GROUPS}`)}, ',', '.')` : ungrouped(`,${GROUPS}`)
  return `CASE WHEN regexp_full_match(${text}, ${duckdb.text(MARKED[marks])}) THEN ${plain} ELSE ${text} END`
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
      return `epoch_ms(coalesce(TRY_CAST(${iso} AS TIMESTAMPTZ), TRY_CAST(${withSeconds(iso)} AS TIMESTAMPTZ)))`
    case 'local':
      return inZone(`TRY_CAST(${iso} AS TIMESTAMP)`)
    case 'mixed':
      return `CASE WHEN regexp_matches(${text}, ':.*(Z|UTC|[+-][0-9:]+)$') THEN ${timeSql(column, { kind: 'zoned' }, zone)}
        ELSE ${timeSql(column, { kind: 'local' }, zone)} END`
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

/** Of staged rows, for each gauge whether it is in percent, of a column, and all its values look like fractions of 1. */
export function fractionsSql({ gauges }: Dataset, meaning: Meaning): string {
  const columns = gauges.map(({ unit }, i) => {
    const origin = meaning.gauges[i] ?? null
    if (unit !== '%' || origin === null || 'constant' in origin || origin.arithmetic) return 'false'
    return `coalesce(max(g${i}) <= 1 AND max(g${i} - floor(g${i})) > 0, false)`
  })
  return columns.join(', ')
}

/** A time with its zone and without seconds, which the engine's parser wants, with them. */
const withSeconds = (text: string) =>
  `regexp_replace(${text}, '^(\\S+[T ]\\d\\d:\\d\\d)( ?[A-Z+-].*)$', '\\1:00\\2')`
