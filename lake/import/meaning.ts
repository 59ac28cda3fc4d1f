import { type Dataset, nameColumns } from '../../schemas/dataset.ts'
import { TidemarkError } from '../../schemas/errors.ts'
import { isName } from '../../schemas/name.ts'
import type { ImportColumn, ImportSource } from './columns.ts'
import { type Arithmetic, mappedColumn } from './mapped.ts'
import { guessTimeForm, namedTimeForm, type TimeForm, typedTimeForm } from './times.ts'

/** What a person says of a file. */
export interface ImportOptions {
  /** Column of the file by column of the dataset. */
  readonly map: { readonly [column: string]: string }
  /** Value by column of the dataset, the same for all rows. */
  readonly set: { readonly [column: string]: string }
  /** A unit since 1970 or a format of `strptime`; null: as the values look. */
  readonly timeFormat: string | null
  /** Of times without one: an IANA name. */
  readonly zone: string
  /** The columns of CSV without a header; null where it has one. */
  readonly header: readonly string[] | null
}

/** Where a value comes from, and what said so: its name, a look at the values, the person who imports, or a default. */
export type Origin = Found | { readonly constant: string; readonly by: 'set' | 'default' }

/** What each column of a dataset is in a file. */
export interface Meaning {
  /** In the order of `nameColumns`. */
  readonly names: readonly Origin[]
  readonly time: {
    readonly column: ImportColumn
    readonly by: 'name' | 'guess' | 'map'
    readonly form: TimeForm
  }
  /** Null: an optional gauge that the file does not have. */
  readonly gauges: readonly (Origin | null)[]
  readonly attributes: readonly (Origin | null)[]
  /** Both or neither: the agent that sent the message, and its number. */
  readonly agent: { readonly agent: ImportColumn; readonly seq: ImportColumn } | null
}

/** Names in use elsewhere, simplified by `plain`; the built-in dataset's columns have them. */
const SYNONYMS: { readonly [column: string]: readonly string[] } = {
  time_stamp: ['timestamp', 'time', 'ts', 'datetime', 'date', 'isotime', 'timestamputc', 'timeutc', 'epoch'],
  service: ['servicename', 'svc', 'app', 'application', 'job', 'series'],
  host: ['hostname', 'instance', 'node', 'server', 'machine', 'nodename', 'computer', 'series'],
  cpu: [...usedOf('cpu'), 'cpuload', 'usageactive', 'cpuusageactive'],
  ram: [...usedOf('ram'), ...usedOf('mem'), ...usedOf('memory')],
  disk: [...usedOf('disk'), ...usedOf('diskspace'), ...usedOf('fs'), ...usedOf('filesystem')],
}

/** Returns the names that a share in use commonly has. */
function usedOf(what: string): string[] {
  const words = ['', 'used', 'usage', 'utilization', 'utilisation', 'util']
  return words.flatMap((word) => [`${what}${word}`, `${what}${word}percent`])
}

/** A column that was found. */
export interface Found {
  readonly column: ImportColumn
  readonly by: 'name' | 'guess' | 'map'
  /** Of a gauge: what is done with its numbers. */
  readonly arithmetic?: Arithmetic | null
}

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
  const find = (wanted: string, isGauge = false): Origin | null => {
    const constant = options.set[wanted]
    if (constant !== undefined) return { constant, by: 'set' }
    const found = isGauge
      ? gaugeColumnFor(source, wanted, options, taken)
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
  const isOpen = (name: string) =>
    options.set[name] === undefined && gaugeColumnFor(source, name, options, taken) === null
  const [open, ...others] = dataset.gauges.filter(({ name, optional }) => !optional && isOpen(name))
  const gauges = dataset.gauges.map((gauge): Origin | null => {
    const found =
      find(gauge.name, true) ?? (gauge === open && others.length === 0 ? onlyValue(source, taken) : null)
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

/** The only value of series is the only gauge that has none. */
function onlyValue({ columns, series }: ImportSource, taken: ReadonlySet<string>): Origin | null {
  const [name, ...more] = series?.values ?? []
  const column = columns.find((one) => one.name === name)
  return column === undefined || more.length > 0 || taken.has(column.name) ? null : { column, by: 'guess' }
}

/** The column of the time, where one is known. */
export function timeColumnOf(source: ImportSource, options: ImportOptions): string | null {
  const taken = new Set<string>()
  const found = columnFor(source.columns, 'time_stamp', options, taken) ?? onlyTimes(source, taken)
  return found?.column.name ?? null
}

function timeOf(source: ImportSource, options: ImportOptions, taken: Set<string>): Meaning['time'] | null {
  const found = columnFor(source.columns, 'time_stamp', options, taken) ?? onlyTimes(source, taken)
  if (found === null) return null
  const { column } = found
  taken.add(column.name)
  const form =
    options.timeFormat === null
      ? (typedTimeForm(column.type) ?? guessTimeForm(column.samples))
      : namedTimeForm(options.timeFormat)
  if (form === 'ambiguous')
    throw usage(
      `column ${column.name} has dates like ${column.samples[0]}, of which day and month cannot be told apart; say --time-format '%d/%m/%Y %H:%M:%S' or '%m/%d/%Y %H:%M:%S'`,
    )
  if (form === null)
    throw usage(
      `column ${column.name} has no times that are known, like ${JSON.stringify(column.samples[0] ?? '')}; say --time-format with s, ms, us, ns or a format of strptime`,
    )
  return { ...found, form }
}

/** Whether a column may be a gauge: one of its first values is a number, or none is anything. */
function mayBeGauge({ type, samples }: ImportColumn): boolean {
  const isNumber = (text: string) => /\d/.test(text) && !/[a-z]{2}/i.test(text)
  const isText = (text: string) => /[a-z]{2}/i.test(text) && !/^(null|undefined|nan|none|na)$/i.test(text)
  return type !== 'VARCHAR' || samples.some(isNumber) || !samples.some(isText)
}

function onlyTimes(source: ImportSource, taken: ReadonlySet<string>) {
  const fit = source.columns.filter((column) => {
    if (taken.has(column.name)) return false
    return typedTimeForm(column.type) !== null || guessTimeForm(column.samples) !== null
  })
  return fit.length === 1 ? { column: fit[0]!, by: 'guess' as const } : null
}

/** The column that is `wanted`: as `map` says, else by its name, else by what it is called elsewhere. Null where there is none. */
export function columnFor(
  columns: readonly ImportColumn[],
  wanted: string,
  { map }: ImportOptions,
  taken: ReadonlySet<string>,
): Found | null {
  const named = (name: string) => columns.find((column) => column.name === name)
  const mapped = map[wanted]
  if (mapped !== undefined) {
    const { name, arithmetic } = mappedColumn(mapped, columns)
    const column = named(name)
    return column === undefined ? null : { column, by: 'map', arithmetic }
  }
  const same = named(wanted)
  if (same !== undefined) return { column: same, by: 'name' }
  const said = Object.values(map).map((one) => mappedColumn(one, columns).name)
  const free = columns.filter(({ name }) => !taken.has(name) && !said.includes(name))
  const like = [plain(wanted), ...(SYNONYMS[wanted] ?? [])]
  for (const synonym of like) {
    const column = free.find(({ name }) => plain(name) === synonym)
    if (column !== undefined) return { column, by: 'guess' }
  }
  return null
}

/** The column of a gauge, as `columnFor`, of those that hold numbers: `cpu` may be a tag, `cpu-total`. */
function gaugeColumnFor(
  source: ImportSource,
  wanted: string,
  options: ImportOptions,
  taken: ReadonlySet<string>,
): Found | null {
  const numbers = source.columns.filter((column) => mayBeGauge(column))
  return columnFor(options.map[wanted] === undefined ? numbers : source.columns, wanted, options, taken)
}

/** `%cpu`, `CPU (%)` and `cpu_percent` are alike. */
function plain(name: string): string {
  const letters = name.toLowerCase().replace(/[^a-z0-9%]/g, '')
  return letters
    .replace(/^%|%$/, '')
    .concat(/%/.test(letters) ? 'percent' : '')
    .replace(/percentpercent$/, 'percent')
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
  return usage(`no column is ${wanted.join(' or ')}; ${words} ${listed(source)}`, { hint })
}

function listed({ columns }: ImportSource): string {
  const names = columns.slice(0, 30).map(({ name }) => name)
  return (
    names.join(', ') + (columns.length > names.length ? ` and ${columns.length - names.length} more` : '')
  )
}

/** What a person is told who imports. */
export function usage(message: string, options: { hint?: string } = {}): TidemarkError {
  return new TidemarkError('E_USAGE', message, options)
}

/** Whether anything of it was guessed, so that a person should look at it first. */
export function isGuessed({ names, time, gauges, attributes }: Meaning): boolean {
  const origins = [...names, time, ...gauges, ...attributes]
  return origins.some((origin) => origin?.by === 'guess' || origin?.by === 'default')
}
