import type { Dataset } from '../../../schemas/dataset.ts'
import { duckdb } from '../../../schemas/sql/duckdb.ts'
import { type ImportColumn, type ImportSource, ownColumns } from '../columns.ts'
import { columnFor, type ImportOptions } from '../named-column.ts'
import { columnText, sourceSql } from '../rows-sql.ts'
import { timeColumnOf } from '../time-column.ts'
import type { SeriesForm } from './form.ts'
import { influxRows } from './influx.ts'
import { influxName, parseSeriesName, VALUE } from './series-name.ts'
import { telegrafForm } from './texts.ts'

/** Where the metric stands in files with a row for each value. */
const METRIC_COLUMNS = ['__name__', 'metric', 'name', 'series', 'Series', 'Metric', 'field']
const VALUE_COLUMNS = ['_value', 'value', 'Value']
/** The form of a file whose rows are no messages yet; null where they are. */
export function seriesFormOf(
  path: string,
  source: ImportSource,
  { dataset, options }: { dataset: Dataset; options: ImportOptions },
): SeriesForm | null {
  const names = source.columns.map(({ name }) => name)
  const has = (...wanted: string[]) => wanted.every((name) => names.includes(name))
  if (source.json === 'lines' && has('name', 'timestamp') && names.some((name) => name.startsWith('fields.')))
    return telegrafForm(path, source.compression)
  const find = (wanted: string) => columnFor(source.columns, wanted, options, new Set())
  const isGiven = (wanted: string) => options.set[wanted] !== undefined || find(wanted) !== null
  if (has('_time', '_value'))
    return {
      words: 'tables of InfluxDB',
      time: '_time',
      rows: (stage) => influxRows(path, source, stage),
      nameOf: influxName,
    }
  const required = dataset.gauges.filter(({ name, optional }) => !optional && options.set[name] === undefined)
  const areGauges = required.every(({ name }) => find(name)?.column.samples.every(isNumber) ?? false)
  const measured = areGauges ? null : measurementForm(path, source, options)
  if (measured !== null) return measured
  const isLabelled = names.some((name) => LABELLED.test(name))
  // A row that has all gauges is a message, and a column that a person names is meant.
  if (required.some(({ name }) => find(name)?.by === 'map')) return null
  if (required.every(({ name }) => isGiven(name)) && !isLabelled) return null
  const time = timeColumnOf(source, options)
  if (time === null) return null
  const value = VALUE_COLUMNS.find((name) => has(name))
  const metric = METRIC_COLUMNS.find((name) => has(name) && !isOf(time, name))
  if (value !== undefined && metric !== undefined) return rowsForm(path, source, { time, value, metric })
  if (source.format === 'ndjson') return null
  const known = [...dataset.keys, ...dataset.gauges.map(({ name }) => name)]
  if (isLabelled || (!known.some((name) => find(name) !== null) && areNumbers(source, time)))
    return columnsForm(path, source, time)
  return null
}

const MEASUREMENT = /^_?measurement$/
const isNumber = (text: string) => /^-?[\d.,]+(e[-+]?\d+)? ?%?$|^(null|undefined|nan)$/i.test(text)
const LABELLED = /\{.*\}\s*$/s

/** Whether the time is made of the column `name`. */
const isOf = (time: ImportColumn, name: string) => ownColumns(time).some((column) => column.name === name)

function areNumbers({ columns }: ImportSource, time: ImportColumn): boolean {
  const others = columns.filter(({ name }) => !isOf(time, name))
  return others.length > 0 && others.every(({ samples }) => samples.every(isNumber))
}

/** A row for each value: metric, time, value and labels. */
function rowsForm(
  path: string,
  source: ImportSource,
  { time, value, metric }: { time: ImportColumn; value: string; metric: string },
): SeriesForm {
  const labels = source.columns
    .map(({ name }) => name)
    .filter((name) => ![value, metric].includes(name) && !isOf(time, name))
  const text = (name: string) => `${duckdb.name(name)}::VARCHAR`
  return {
    words: 'a row for each value',
    time: time.name,
    rows: `SELECT ${columnText(time)} AS t, ${text(value)} AS v, ${seriesText(text(metric), labels, text)} AS s FROM ${sourceSql(path, source)}`,
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

/** As Telegraf writes CSV: a row for each measurement and time, whose fields are columns that are empty in the rows of others. */
function measurementForm(path: string, source: ImportSource, options: ImportOptions): SeriesForm | null {
  const measurement = source.columns.find(({ name }) => MEASUREMENT.test(name))
  const time = timeColumnOf(source, options)
  if (measurement === undefined || time === null || Object.keys(options.map).length > 0) return null
  const others = source.columns.filter((one) => one !== measurement && !isOf(time, one.name))
  const fields = others.filter(({ samples }) => samples.length > 0 && samples.every(isNumber))
  if (fields.length === 0) return null
  const tags = others.filter((one) => !fields.includes(one))
  const text = ({ name }: ImportColumn) => `${duckdb.name(name)}::VARCHAR`
  const labels = tags.flatMap((tag) => [duckdb.text(tag.name), text(tag)])
  const series = fields.map(
    ({ name }) => `to_json([${[text(measurement), duckdb.text(name), ...labels].join(', ')}])::VARCHAR`,
  )
  return {
    words: 'a row for each measurement',
    time: time.name,
    rows: `SELECT ${columnText(time)} AS t, unnest([${fields.map(text).join(', ')}]) AS v, unnest([${series.join(', ')}]) AS s FROM ${sourceSql(path, source)}`,
    nameOf: influxName,
  }
}

/** As Grafana exports: a column for each series, whose head is its name. */
function columnsForm(path: string, source: ImportSource, time: ImportColumn): SeriesForm {
  const series = source.columns.map(({ name }) => name).filter((name) => !isOf(time, name))
  const listed = series.map(duckdb.name).join(', ')
  const texts = series.map((name) => `${duckdb.name(name)}::VARCHAR AS ${duckdb.name(name)}`).join(', ')
  return {
    words: 'a column for each series',
    time: time.name,
    rows: `SELECT ${columnText(time)} AS t, v::VARCHAR AS v, s FROM (UNPIVOT (SELECT * REPLACE (${texts}) FROM ${sourceSql(path, source)}) ON ${listed} INTO NAME s VALUE v)`,
    nameOf: parseSeriesName,
  }
}
