import { type Dataset, nameColumns } from '../../schemas/dataset.ts'
import { TidemarkError } from '../../schemas/errors.ts'
import { isName } from '../../schemas/name.ts'
import type { ImportColumn, ImportSource } from './columns.ts'
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
}

/** Where a value comes from, and what said so: its name, a look at the values, the person who imports, or a default. */
export type Origin =
  | { readonly column: ImportColumn; readonly by: 'name' | 'guess' | 'map' }
  | { readonly constant: string; readonly by: 'set' | 'default' }

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
  /** Both or neither: who sent the message, and its number. */
  readonly agent: { readonly agent: ImportColumn; readonly seq: ImportColumn } | null
}

/** Names in use elsewhere, simplified by `plain`; the built-in dataset's columns have them. */
const SYNONYMS: { readonly [column: string]: readonly string[] } = {
  time_stamp: ['timestamp', 'time', 'ts', 'datetime', 'date', 'isotime'],
  service: ['svc', 'app', 'application', 'job', 'series'],
  host: ['hostname', 'instance', 'node', 'server', 'machine', 'nodename', 'series'],
  cpu: [
    'cpupercent',
    'cpuusage',
    'cpuusagepercent',
    'cpuutilization',
    'cpuload',
    'usageactive',
    'cpuusageactive',
  ],
  ram: [
    'rampercent',
    'ramused',
    'mem',
    'memory',
    'mempercent',
    'memusage',
    'memoryusage',
    'memusedpercent',
    'memused',
  ],
  disk: ['diskpercent', 'diskusage', 'diskused', 'diskusedpercent', 'fsused', 'fsusedpercent'],
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
  const find = (wanted: string): Origin | null => {
    const constant = options.set[wanted]
    if (constant !== undefined) return { constant, by: 'set' }
    const found = columnFor(source.columns, wanted, options, taken)
    if (found !== null) taken.add(found.column.name)
    return found
  }
  const lack = (wanted: string) => missing(source, wanted)
  const names = nameColumns(dataset).map((name): Origin => {
    const found = find(name)
    if (found !== null) return found
    if (name === dataset.source) return { constant: SOURCE_DEFAULT, by: 'default' }
    throw lack(name)
  })
  for (const [i, origin] of names.entries()) checkConstant(nameColumns(dataset)[i]!, origin, isName)
  const time = timeOf(source, options, taken)
  const isOpen = (name: string) =>
    options.set[name] === undefined && columnFor(source.columns, name, options, taken) === null
  const lacking = dataset.gauges.filter(({ name, optional }) => !optional && isOpen(name))
  const open = lacking.length === 1 ? lacking[0] : null
  const gauges = dataset.gauges.map((gauge): Origin | null => {
    const found = find(gauge.name) ?? (gauge === open ? onlyValue(source, taken) : null)
    if (found === null && !gauge.optional) throw lack(gauge.name)
    if (found !== null)
      checkConstant(gauge.name, found, (text) => text.trim() !== '' && Number.isFinite(Number(text)))
    return found
  })
  return { names, time, gauges, attributes: dataset.attributes.map(find), agent: agentOf(source) }
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

function timeOf(source: ImportSource, options: ImportOptions, taken: Set<string>): Meaning['time'] {
  const found = columnFor(source.columns, 'time_stamp', options, taken) ?? onlyTimes(source, taken)
  if (found === null) throw missing(source, 'time_stamp')
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
): { readonly column: ImportColumn; readonly by: 'name' | 'guess' | 'map' } | null {
  const named = (name: string) => columns.find((column) => column.name === name)
  const mapped = map[wanted]
  if (mapped !== undefined) {
    const column = named(mapped)
    return column === undefined ? null : { column, by: 'map' }
  }
  const same = named(wanted)
  if (same !== undefined) return { column: same, by: 'name' }
  const free = columns.filter(({ name }) => !taken.has(name) && !Object.values(map).includes(name))
  const like = [plain(wanted), ...(SYNONYMS[wanted] ?? [])]
  for (const synonym of like) {
    const column = free.find(({ name }) => plain(name) === synonym)
    if (column !== undefined) return { column, by: 'guess' }
  }
  return null
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
  for (const [wanted, name] of Object.entries(map)) {
    if (source.columns.every((column) => column.name !== name))
      throw usage(`--map ${wanted}=${name}: the file has ${listed(source)}`)
  }
}

function checkConstant(name: string, origin: Origin, fits: (text: string) => boolean): void {
  if ('constant' in origin && !fits(origin.constant))
    throw usage(`--set ${name}=${origin.constant} is no value of ${name}`)
}

function missing(source: ImportSource, wanted: string): TidemarkError {
  const hint = `say --map ${wanted}=COLUMN${wanted === 'time_stamp' ? '' : ` or --set ${wanted}=VALUE`}`
  const words = source.series === undefined ? 'the file has' : `made of ${source.series.words} are`
  return usage(`no column is ${wanted}; ${words} ${listed(source)}; ${hint}`)
}

function listed({ columns }: ImportSource): string {
  const names = columns.slice(0, 30).map(({ name }) => name)
  return (
    names.join(', ') + (columns.length > names.length ? ` and ${columns.length - names.length} more` : '')
  )
}

function usage(message: string): TidemarkError {
  return new TidemarkError('E_USAGE', message)
}

/** Whether anything of it was guessed, so that a person should look at it first. */
export function isGuessed({ names, time, gauges, attributes }: Meaning): boolean {
  const origins = [...names, time, ...gauges, ...attributes]
  return origins.some((origin) => origin?.by === 'guess' || origin?.by === 'default')
}
