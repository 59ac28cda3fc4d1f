import { type Dataset, DEFAULT_DATASET, GAUGE_VALUE_MAX, type Gauge, nameColumns } from './dataset.ts'
import { TidemarkError } from './errors.ts'
import { nameFault } from './name.ts'
import { DAY_MS, HOUR_MS, UNITS_MS } from './time.ts'
import { defineView, type View } from './view.ts'
import { viewColumns } from './view-columns.ts'

/** Every dataset and view of a deployment. */
export interface Definitions {
  readonly datasets: readonly Dataset[]
  readonly views: readonly View[]
}

export function viewsOf({ views }: Definitions, dataset: string): View[] {
  return views.filter((view) => view.dataset === dataset)
}

const NAME = /^[a-z][a-z0-9_]{0,47}$/
const KEYS_MAX = 6
const GAUGES_MAX = 64
const ATTRIBUTES_MAX = 64
const words = (text: string) => new Set(text.split(' '))
/** Columns that messages have besides those of their dataset, words of the line protocol, and what every object has. */
const RESERVED = words(
  'time_stamp agent seq partition offset index date dataset hello token lost msg_num minute constructor',
)
/** Fields that answers have beside keys and gauges: one of the same name would hide the other. */
const ANSWERED = words(
  'from to messages first_minute last_minute t step_ms answered_by tidemark view_version complete gaps explain',
)
/** Parameters that requests have beside keys: by a key of the same name nobody could ask. */
const PARAMETERS = words('from to tz as_of explain step fields by view q sort limit after format bom')

/**
 * The definitions `builtIn` and those in tables `datasets` and `views` of tidemark.toml, as parsed. A dataset without a
 * view gets `NAME_minute` over its first key. Throws `E_CONFIG` that names the table and what is wrong.
 */
export function withTables(
  builtIn: Definitions,
  tables: { readonly datasets?: unknown; readonly views?: unknown },
): Definitions {
  const datasets = [...builtIn.datasets]
  for (const [name, table] of entries('datasets', tables.datasets)) {
    if (datasets.some((one) => one.name === name)) throw wrong(`datasets.${name}`, 'it is built in')
    datasets.push(parseDataset(name, table))
  }
  const views = [...builtIn.views]
  for (const [name, table] of entries('views', tables.views)) {
    if (views.some((one) => one.name === name)) throw wrong(`views.${name}`, 'it is built in')
    views.push(parseView(name, table, datasets))
  }
  for (const dataset of datasets) {
    if (views.some((view) => view.dataset === dataset.name)) continue
    const name = `${dataset.name}_minute`
    views.push(distinct(`views.${name}`, defineView(dataset, { name, key: [dataset.keys[0]!] })))
  }
  checkTableNames(datasets, views)
  return { datasets, views }
}

/** Name of the lake's table of a dataset's messages. */
export function messagesTable(dataset: string): string {
  return dataset === DEFAULT_DATASET ? 'messages' : `${dataset}_messages`
}

function checkTableNames(datasets: readonly Dataset[], views: readonly View[]): void {
  const taken = new Set(['runs'])
  const names = [
    ...datasets.map(({ name }) => [`datasets.${name}`, messagesTable(name)] as const),
    ...views.flatMap(({ name }) => [
      [`views.${name}`, name] as const,
      [`views.${name}`, `${name}_ticks`] as const,
      [`views.${name}`, `${name}_frozen`] as const,
    ]),
  ]
  for (const [where, table] of names) {
    if (taken.has(table)) throw wrong(where, `another table of the lake is called ${table}`)
    taken.add(table)
  }
}

function parseDataset(name: string, table: Fields): Dataset {
  const where = `datasets.${name}`
  checkName(where, name)
  only(where, table, ['keys', 'source', 'gauges', 'attributes'])
  const keys = texts(where, 'keys', table.keys, 1, KEYS_MAX)
  const source = table.source ?? null
  if (source !== null && typeof source !== 'string') throw wrong(where, 'source must be a name')
  const gauges = entries(`${where}.gauges`, table.gauges).map(([gauge, about]) =>
    parseGauge(`${where}.gauges.${gauge}`, gauge, about),
  )
  if (gauges.length === 0 || gauges.length > GAUGES_MAX)
    throw wrong(where, `it needs 1 to ${GAUGES_MAX} gauges`)
  const attributes = texts(where, 'attributes', table.attributes ?? [], 0, ATTRIBUTES_MAX)
  const dataset = { name, keys, source, gauges, attributes }
  const columns = [...nameColumns(dataset), ...gauges.map((gauge) => gauge.name), ...attributes]
  for (const column of columns) {
    checkName(where, column)
    if (RESERVED.has(column)) throw wrong(where, `a column must not be called ${column}`)
  }
  checkUnique(where, columns)
  const askedBy = nameColumns(dataset).find((column) => PARAMETERS.has(column))
  if (askedBy !== undefined)
    throw wrong(where, `a key or source must not be called ${askedBy}, which requests have as a parameter`)
  const answered = columns.find((column) => ANSWERED.has(column) && !attributes.includes(column))
  if (answered !== undefined)
    throw wrong(where, `a key, source or gauge must not be called ${answered}, which answers have as a field`)
  return dataset
}

function parseGauge(where: string, name: string, about: Fields): Gauge {
  only(where, about, ['unit', 'min', 'max', 'optional'])
  const { unit = '', min = -GAUGE_VALUE_MAX, max = GAUGE_VALUE_MAX, optional = false } = about
  const unitFault = unit === '' ? null : nameFault(unit)
  if (unitFault !== null) throw wrong(where, `unit ${unitFault}`)
  if (typeof optional !== 'boolean') throw wrong(where, 'optional must be true or false')
  if (!isBound(min) || !isBound(max) || min >= max)
    throw wrong(where, 'min and max must be numbers within ±1e15, min below max')
  return { name, unit: unit as string, min, max, optional }
}

function isBound(value: unknown): value is number {
  return typeof value === 'number' && Math.abs(value) <= GAUGE_VALUE_MAX
}

function parseView(name: string, table: Fields, datasets: readonly Dataset[]): View {
  const where = `views.${name}`
  checkName(where, name)
  only(where, table, ['dataset', 'key', 'bucket', 'gauges', 'quantiles'])
  if (table.dataset === undefined) throw wrong(where, 'dataset is missing: it names what the view is of')
  const dataset = datasets.find((one) => one.name === table.dataset)
  if (dataset === undefined) throw wrong(where, `there is no dataset ${String(table.dataset)}`)
  const { quantiles = false, bucket = '1m' } = table
  if (typeof quantiles !== 'boolean') throw wrong(where, 'quantiles must be true or false')
  const key = texts(where, 'key', table.key, 1, KEYS_MAX + 1)
  checkUnique(where, key)
  const gauges = table.gauges === undefined ? undefined : texts(where, 'gauges', table.gauges, 1, GAUGES_MAX)
  if (gauges !== undefined) checkUnique(where, gauges)
  const about = { name, key, bucketMs: parseBucket(where, bucket), quantiles }
  return distinct(where, defineView(dataset, gauges === undefined ? about : { ...about, gauges }))
}

/** Returns `view`, of which no two columns may have one name: a gauge `max_x` is called as the maximum of `x`. */
function distinct(where: string, view: View): View {
  checkUnique(
    where,
    viewColumns(view).map((column) => column.name),
  )
  return view
}

function parseBucket(where: string, bucket: unknown): number {
  const [, count, unit] = /^(\d{1,4})([smhd])$/.exec(String(bucket)) ?? []
  const ms = Number(count) * (UNITS_MS[unit ?? ''] ?? 0)
  if (ms === DAY_MS || (ms >= 1_000 && HOUR_MS % ms === 0)) return ms
  throw wrong(where, `bucket must divide an hour, or be 1h or 1d, not ${String(bucket)}`)
}

type Fields = { readonly [name: string]: unknown }

function entries(where: string, value: unknown): [string, Fields][] {
  if (value === undefined) return []
  if (!isTable(value)) throw wrong(where, 'it must be a table')
  return Object.entries(value).map(([name, table]) => {
    if (!isTable(table)) throw wrong(`${where}.${name}`, 'it must be a table')
    return [name, table]
  })
}

function isTable(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function only(where: string, table: Fields, known: readonly string[]): void {
  for (const name of Object.keys(table))
    if (!known.includes(name)) throw wrong(where, `there is no field ${name}; it has ${known.join(', ')}`)
}

function texts(where: string, name: string, value: unknown, min: number, max: number): string[] {
  const list = Array.isArray(value) ? value : null
  if (
    list === null ||
    list.length < min ||
    list.length > max ||
    !list.every((one) => typeof one === 'string')
  )
    throw wrong(where, `${name} must be a list of ${min} to ${max} names`)
  return list
}

function checkName(where: string, name: string): void {
  if (!NAME.test(name))
    throw wrong(where, `${JSON.stringify(name)} must be 1 to 48 of a-z, 0-9 and _, beginning with a letter`)
}

function checkUnique(where: string, names: readonly string[]): void {
  const twice = names.find((name, i) => names.indexOf(name) !== i)
  if (twice !== undefined) throw wrong(where, `two columns are called ${twice}`)
}

function wrong(where: string, reason: string): TidemarkError {
  return new TidemarkError('E_CONFIG', `${where}: ${reason}`, { field: where })
}
