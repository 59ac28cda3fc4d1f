import { type Dataset, type Gauge, nameColumns } from '../../schemas/dataset.ts'
import { TidemarkError } from '../../schemas/errors.ts'
import { isName } from '../../schemas/name.ts'
import type { ImportColumn, ImportSource } from './columns.ts'
import { mappedColumn } from './mapped.ts'
import { columnFor, type Found, type ImportOptions, idleColumn, likeFirst, usage } from './named-column.ts'
import { type FoundTime, pairOf, timeOf } from './time-column.ts'

/** Where a value comes from, and what said so: its name, a look at the values, the person who imports, or a default. */
export type Origin = Found | { readonly constant: string; readonly by: 'set' | 'default' }

/** What each column of a dataset is in a file. */
export interface Meaning {
  /** In the order of `nameColumns`. */
  readonly names: readonly Origin[]
  readonly time: FoundTime
  /** Null: an optional gauge that the file does not have. */
  readonly gauges: readonly (Origin | null)[]
  readonly attributes: readonly (Origin | null)[]
  /** Both or neither: the agent that sent the message, and its number. */
  readonly agent: { readonly agent: ImportColumn; readonly seq: ImportColumn } | null
}

/** Columns that an error names. */
const NAMES_LISTED = 30

/** What stands for a source that is not given. */
export const SOURCE_DEFAULT = 'import'

/**
 * Says what the columns of a dataset are in `source`: as `map` and `set` say, else the column of the same name, else one that is
 * called so elsewhere, else, for the time, the only column that holds times. Throws `E_USAGE`, which names what is missing and
 * what there is.
 */
export function meaningOf(source: ImportSource, dataset: Dataset, options: ImportOptions): Meaning {
  checkNamed(source, dataset, options)
  checkNoView(source, dataset, options)
  const taken = new Set<string>()
  const find = (wanted: string, isGauge: Gauge | null = null): Origin | null => {
    const constant = options.set[wanted]
    if (constant !== undefined) return { constant, by: 'set' }
    const found = isGauge
      ? gaugeColumnFor(source, isGauge, options, taken)
      : columnFor(source.columns, wanted, options, taken)
    if (found !== null) taken.add(found.column.name)
    return found
  }
  const lacking: string[] = []
  const names = nameColumns(dataset).map((name): Origin => {
    const found = find(name)
    if (found !== null) return found
    if (name !== dataset.source) lacking.push(name)
    return { constant: SOURCE_DEFAULT, by: 'default' }
  })
  for (const [i, origin] of names.entries()) checkConstant(nameColumns(dataset)[i]!, origin, isName)
  const time = timeOf(source, options, taken)
  if (time === null) lacking.push('time_stamp')
  const isOpen = (gauge: Gauge) =>
    options.set[gauge.name] === undefined && gaugeColumnFor(source, gauge, options, taken) === null
  const [open, ...others] = dataset.gauges.filter((gauge) => !gauge.optional && isOpen(gauge))
  const gauges = dataset.gauges.map((gauge): Origin | null => {
    const found =
      find(gauge.name, gauge) ??
      idleOf(source, gauge.name, options) ??
      (gauge === open && others.length === 0 ? onlyValue(source, taken) : null)
    if (found === null && !gauge.optional) lacking.push(gauge.name)
    if (found !== null)
      checkConstant(gauge.name, found, (text) => text.trim() !== '' && Number.isFinite(Number(text)))
    return found
  })
  if (time === null || lacking.length > 0) throw missing(source, lacking)
  return {
    names,
    time,
    gauges,
    attributes: dataset.attributes.map((name) => find(name)),
    agent: agentOf(source),
  }
}

/** Rows of a view look like messages, and are sums of many. A person who names a column for a gauge is believed. */
function checkNoView({ columns }: ImportSource, { gauges }: Dataset, { map }: ImportOptions): void {
  const has = (wanted: string) => columns.some(({ name }) => name === wanted)
  const isView = has('msg_num') && gauges.some(({ name }) => has(`max_${name}`) || has(`min_${name}`))
  if (!isView || gauges.some(({ name }) => map[name] !== undefined)) return
  throw new TidemarkError(
    'E_USAGE',
    'the rows are those of a view (msg_num, extremes of gauges): sums of many messages, and no messages',
    {
      hint: 'import what `tidemark export --messages` wrote; the views are computed from it, and answer the same',
    },
  )
}

/** Of a column of what is idle, in percent. */
function idleOf({ columns }: ImportSource, wanted: string, options: ImportOptions): Found | null {
  const found = idleColumn(columns, wanted, options)
  // Fractions of 1 are asked about.
  return found?.column.samples.some((text) => Number(text.replace(',', '.')) > 1) ? found : null
}

/** The only value of series is the only gauge that has none. */
function onlyValue({ columns, series }: ImportSource, taken: ReadonlySet<string>): Origin | null {
  const [name, ...more] = series?.values ?? []
  const column = columns.find((one) => one.name === name)
  return column === undefined || more.length > 0 || taken.has(column.name) ? null : { column, by: 'guess' }
}

/** Whether a column may be a gauge: one of its first values is a number, or none is anything. */
function mayBeGauge({ type, samples }: ImportColumn): boolean {
  const isNumber = (text: string) => /\d/.test(text) && !/[a-z]{2}/i.test(text)
  const isText = (text: string) => /[a-z]{2}/i.test(text) && !/^(null|undefined|nan|none|na)$/i.test(text)
  // Lists and maps hold many.
  if (/^MAP\(|\]$/.test(type)) return false
  return type !== 'VARCHAR' || samples.some(isNumber) || !samples.some(isText)
}

/** The column of a gauge, as `columnFor`, of those that hold numbers: `cpu` may be a tag, `cpu-total`. */
function gaugeColumnFor(
  { columns }: ImportSource,
  { name: wanted, unit }: Gauge,
  options: ImportOptions,
  taken: ReadonlySet<string>,
): Found | null {
  if (options.map[wanted] !== undefined) return columnFor(columns, wanted, options, taken)
  const isFit = (column: ImportColumn) => column.name === wanted || unit !== '%' || !areAmounts(column)
  const numbers = columns.filter((column) => mayBeGauge(column) && isFit(column))
  return columnFor(numbers, wanted, options, taken)
}

/** Whether numbers are far above what is given in percent: bytes most often. */
function areAmounts({ samples }: ImportColumn): boolean {
  return samples.length > 0 && samples.every((text) => Number(text) > 1_000)
}

function agentOf({ columns }: ImportSource): Meaning['agent'] {
  const named = (name: string) => columns.find((column) => column.name === name)
  const agent = named('agent')
  const seq = named('seq')
  return agent !== undefined && seq !== undefined ? { agent, seq } : null
}

function checkNamed(source: ImportSource, dataset: Dataset, { map, set }: ImportOptions): void {
  const known = [
    ...nameColumns(dataset),
    'time_stamp',
    ...dataset.gauges.map(({ name }) => name),
    ...dataset.attributes,
  ]
  for (const [flag, named] of [
    ['--map', map],
    ['--set', set],
  ] as const) {
    for (const name of Object.keys(named)) {
      if (!known.includes(name) || (flag === '--set' && name === 'time_stamp'))
        throw usage(`${flag} ${name}: dataset ${dataset.name} has ${known.join(', ')}`)
    }
  }
  for (const [wanted, said] of Object.entries(map)) {
    if (wanted === 'time_stamp' && pairOf(said, source.columns) !== null) continue
    const { name, arithmetic } = mappedColumn(said, source.columns)
    if (source.columns.every((column) => column.name !== name))
      throw usage(`--map ${wanted}=${said}: the file has ${listed(source)}`)
    if (arithmetic !== null && dataset.gauges.every((gauge) => gauge.name !== wanted))
      throw usage(`--map ${wanted}=${said}: only numbers of gauges can be reckoned with`)
  }
}

function checkConstant(name: string, origin: Origin, fits: (text: string) => boolean): void {
  if ('constant' in origin && !fits(origin.constant))
    throw usage(`--set ${name}=${origin.constant} is no value of ${name}`)
}

function missing(source: ImportSource, wanted: readonly string[]): TidemarkError {
  const mapped = wanted.map((name) => `${name}=COLUMN`).join()
  const constants = wanted.filter((name) => name !== 'time_stamp').map((name) => `${name}=VALUE`)
  const hint = `say --map ${mapped}${constants.length === 0 ? '' : `, or --set ${constants.join()} for a value that all rows have`}`
  const words = source.series === undefined ? 'the file has' : `made of ${source.series.words} are`
  return usage(`no column is ${wanted.join(' or ')}; ${words} ${listed(source, wanted)}`, { hint })
}

function listed({ columns, series }: ImportSource, wanted: readonly string[] = []): string {
  const all = new Set([...columns.map(({ name }) => name), ...(series?.values ?? [])])
  const names = likeFirst([...all], wanted).slice(0, NAMES_LISTED)
  return names.join(', ') + (all.size > names.length ? ` and ${all.size - names.length} more` : '')
}

/** Whether anything of it was guessed, so that a person should look at it first. */
export function isGuessed({ names, time, gauges, attributes }: Meaning): boolean {
  const origins = [...names, time, ...gauges, ...attributes]
  return origins.some((origin) => origin?.by === 'guess' || origin?.by === 'default')
}
