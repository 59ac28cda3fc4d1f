import type { Dataset } from '../../../schemas/dataset.ts'
import { duckdb } from '../../../schemas/sql/duckdb.ts'
import type { ImportCompression, ImportSource } from '../columns.ts'
import { columnFor, type ImportOptions, timeColumnOf } from '../meaning.ts'
import { sourceSql } from '../rows-sql.ts'
import { ofMetric, parseSeriesName, type SeriesName, VALUE } from './series-name.ts'

/** A file that has a row, a column or an object for each series: other tools' exports. */
export interface SeriesForm {
  /** For a person. */
  readonly words: string
  /** What the time is called. */
  readonly time: string
  /** A relation with the time `t`, the value `v` and the series `s` of each value, all as text. Null for tables of InfluxDB, see there. */
  readonly rows: string | null
  /** What a value of `s` names. */
  readonly nameOf: (s: string) => SeriesName
  /** Whether all of it is one object, which takes memory as a whole. */
  readonly isOneObject?: boolean
  /** Where each object takes memory as a whole: bytes that it may have. */
  readonly objectBytesMax?: number
}

/** Where the metric stands in files with a row for each value. */
const METRIC_COLUMNS = ['__name__', 'metric', 'name', 'series', 'Series', 'Metric', 'field']
const VALUE_COLUMNS = ['_value', 'value', 'Value']
/** Of an answer of Prometheus, which is one object. */
const ANSWER_BYTES_MAX = 64 << 20
/** Of a series in an export of VictoriaMetrics. */
const LINE_BYTES_MAX = 32 << 20

/** What of an answer of Prometheus' `query` and `query_range` stands at its beginning. */
export function isPrometheusAnswer(head: string): boolean {
  return /^\s*\{/.test(head) && /"resultType"\s*:\s*"(matrix|vector)"/.test(head.slice(0, 1_000))
}

export function prometheusForm(path: string, compression: ImportCompression): SeriesForm {
  const columns = `{data: 'STRUCT(result STRUCT(metric JSON, "values" VARCHAR[][], "value" VARCHAR[])[])'}`
  const results = `SELECT unnest(data.result) AS one FROM ${json(path, compression, columns, ANSWER_BYTES_MAX)}`
  const points = `SELECT one.metric::VARCHAR AS s, unnest(coalesce(one."values", [one."value"])) AS p FROM (${results})`
  return {
    words: "Prometheus' answer to a query",
    time: 'time',
    rows: `SELECT p[1] AS t, p[2] AS v, s FROM (${points})`,
    nameOf: (s) => ofMetric(JSON.parse(s) as { [label: string]: string }),
    isOneObject: true,
    objectBytesMax: ANSWER_BYTES_MAX,
  }
}

const json = (path: string, compression: ImportCompression, columns: string, bytesMax: number) =>
  `read_json(${duckdb.text(path)}, format = 'auto', columns = ${columns}, maximum_object_size = ${bytesMax}, compression = '${compression === 'none' ? 'uncompressed' : compression}')`

/** The form of a file whose rows are no messages yet; null where they are. */
export function seriesFormOf(
  path: string,
  source: ImportSource,
  { dataset, options }: { dataset: Dataset; options: ImportOptions },
): SeriesForm | null {
  const names = source.columns.map(({ name }) => name)
  const has = (...wanted: string[]) => wanted.every((name) => names.includes(name))
  if (has('metric', 'values', 'timestamps')) return victoriaForm(path, source)
  const find = (wanted: string) => columnFor(source.columns, wanted, options, new Set())
  const isGiven = (wanted: string) => options.set[wanted] !== undefined || find(wanted) !== null
  if (has('_time', '_value'))
    return { words: 'tables of InfluxDB', time: '_time', rows: null, nameOf: influxName }
  const required = dataset.gauges.filter(({ name, optional }) => !optional && options.set[name] === undefined)
  const isLabelled = names.some((name) => LABELLED.test(name))
  // A row that has all gauges is a message, and a column that a person names is meant.
  if (required.some(({ name }) => find(name)?.by === 'map')) return null
  if (required.every(({ name }) => isGiven(name)) && !isLabelled) return null
  const time = timeColumnOf(source, options)
  if (time === null) return null
  const value = VALUE_COLUMNS.find((name) => has(name))
  const metric = METRIC_COLUMNS.find((name) => has(name) && name !== time)
  if (value !== undefined && metric !== undefined) return rowsForm(path, source, { time, value, metric })
  if (source.format !== 'csv') return null
  const known = [...dataset.keys, ...dataset.gauges.map(({ name }) => name)]
  if (isLabelled || (!known.some((name) => find(name) !== null) && areNumbers(source, time)))
    return columnsForm(path, source, time)
  return null
}

const LABELLED = /\{.*\}\s*$/s

function areNumbers({ columns }: ImportSource, time: string): boolean {
  const others = columns.filter(({ name }) => name !== time)
  const isNumber = (text: string) => /^-?[\d.,]+(e[-+]?\d+)? ?%?$|^(null|undefined|nan)$/i.test(text)
  return others.length > 0 && others.every(({ samples }) => samples.every(isNumber))
}

/** Of VictoriaMetrics' export: an object a series. */
function victoriaForm(path: string, { compression }: ImportSource): SeriesForm {
  const columns = `{metric: 'JSON', "values": 'VARCHAR[]', timestamps: 'VARCHAR[]'}`
  return {
    words: "VictoriaMetrics' export of series",
    time: 'time',
    rows: `SELECT unnest(timestamps) AS t, unnest("values") AS v, metric::VARCHAR AS s FROM ${json(path, compression, columns, LINE_BYTES_MAX)}`,
    objectBytesMax: LINE_BYTES_MAX,
    nameOf: (s) => ofMetric(JSON.parse(s) as { [label: string]: string }),
  }
}

/** A row for each value: metric, time, value and labels. */
function rowsForm(
  path: string,
  source: ImportSource,
  { time, value, metric }: { time: string; value: string; metric: string },
): SeriesForm {
  const labels = source.columns
    .map(({ name }) => name)
    .filter((name) => ![time, value, metric].includes(name))
  const text = (name: string) => `${duckdb.name(name)}::VARCHAR`
  return {
    words: 'a row for each value',
    time,
    rows: `SELECT ${text(time)} AS t, ${text(value)} AS v, ${seriesText(text(metric), labels, text)} AS s FROM ${sourceSql(path, source)}`,
    nameOf: (s) => {
      const [field, ...own] = JSON.parse(s) as (string | null)[]
      const name = parseSeriesName(field ?? VALUE)
      const given = labels.flatMap((label, i) => (own[i] ? [[label, own[i]]] : []))
      return { ...name, labels: { ...Object.fromEntries(given), ...name.labels } }
    },
  }
}

const seriesText = (metric: string, labels: readonly string[], text: (name: string) => string) =>
  `to_json([${[metric, ...labels.map(text)].join(', ')}])::VARCHAR`

/** As Grafana exports: a column for each series, whose head is its name. */
function columnsForm(path: string, source: ImportSource, time: string): SeriesForm {
  const series = source.columns.map(({ name }) => name).filter((name) => name !== time)
  const listed = series.map(duckdb.name).join(', ')
  return {
    words: 'a column for each series',
    time,
    rows: `SELECT ${duckdb.name(time)}::VARCHAR AS t, v::VARCHAR AS v, s FROM (UNPIVOT ${sourceSql(path, source)} ON ${listed} INTO NAME s VALUE v)`,
    nameOf: parseSeriesName,
  }
}

/** As `influxRowsSql` writes it: measurement, field, and labels by name. */
function influxName(s: string): SeriesName {
  const [measurement, field, ...labels] = JSON.parse(s) as (string | null)[]
  const own: { [label: string]: string } = {}
  for (let i = 0; i < labels.length; i += 2) if (labels[i + 1]) own[labels[i]!] = labels[i + 1]!
  return { measurement: measurement ?? '', field: field || VALUE, labels: own }
}
