import { TidemarkError } from '../../schemas/errors.ts'
import type { ImportColumn } from './columns.ts'
import { type Arithmetic, mappedColumn } from './mapped.ts'

/** Columns are found as a person says, by their names, and by what they are called elsewhere. */

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

/** Names in use elsewhere, simplified by `plain`; the built-in dataset's columns have them. */
const SYNONYMS: { readonly [column: string]: readonly string[] } = {
  time_stamp: ['timestamp', 'time', 'ts', 'datetime', 'date', 'isotime', 'timestamputc', 'timeutc', 'epoch'],
  service: ['servicename', 'svc', 'app', 'application', 'job', 'series'],
  host: ['hostname', 'instance', 'node', 'server', 'machine', 'nodename', 'computer', 'series'],
  cpu: [...usedOf('cpu'), 'cpuload', 'usageactive', 'cpuusageactive'],
  ram: [...usedOf('ram'), ...usedOf('mem'), ...usedOf('memory')],
  disk: [...usedOf('disk'), ...usedOf('diskspace'), ...usedOf('fs'), ...usedOf('filesystem')],
}

/** Returns the names that a share in use commonly has; those that say it is one come first, for others may be bytes. */
function usedOf(what: string): string[] {
  const words = ['', 'used', 'usage', 'utilization', 'utilisation', 'util']
  return [...words.map((word) => `${what}${word}percent`), ...words.map((word) => `${what}${word}`)]
}

/** A column that was found. */
export interface Found {
  readonly column: ImportColumn
  readonly by: 'name' | 'guess' | 'map'
  /** Of a gauge: what is done with its numbers. */
  readonly arithmetic?: Arithmetic | null
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
  for (const synonym of namesOf(wanted)) {
    const column = free.find(({ name }) => [name, wholeOf(name)].some((one) => plain(one) === synonym))
    if (column !== undefined) return { column, by: 'guess' }
  }
  return null
}

/** What a column is called, here and elsewhere, as `plain` writes it. */
const namesOf = (wanted: string) => [plain(wanted), ...(SYNONYMS[wanted] ?? [])]

/** Names of columns, first those that remind of one that is wanted. */
export function likeFirst(names: readonly string[], wanted: readonly string[]): string[] {
  const words = wanted.flatMap((name) => namesOf(name).filter((word) => word.length < 7))
  const isLike = (name: string) => words.some((word) => plain(name).includes(word))
  return [...names.filter(isLike), ...names.filter((name) => !isLike(name))]
}

/** Names of the share that a processor rests. */
const IDLE = ['cpuusageidle', 'usageidle', 'cpuidlepercent', 'cpuidle', 'idlepercent']

/** The column of which a processor's load is what is left of 100; null for other gauges, and where there is none. */
export function idleColumn(
  columns: readonly ImportColumn[],
  wanted: string,
  { map }: ImportOptions,
): Found | null {
  if (wanted !== 'cpu' || map[wanted] !== undefined) return null
  for (const idle of IDLE) {
    const column = columns.find(({ name }) => plain(wholeOf(name)) === idle)
    if (column !== undefined) return { column, by: 'guess', arithmetic: { times: 1, from: 100 } }
  }
  return null
}

/** Of values that labels tell apart, what a value is called that is of the whole: of all processors, of the root of the file systems. */
function wholeOf(name: string): string {
  const whole =
    /^(.+?)(?: \w+=\S*)* (?:cpu=cpu-total|CPU=all|path=\/|mountpoint=\/|MOUNTPOINT=\/)(?: \w+=\S*)*$/
  return whole.exec(name)?.[1] ?? name
}

/** `%cpu`, `CPU (%)` and `cpu_percent` are alike. */
function plain(name: string): string {
  const letters = name.toLowerCase().replace(/[^a-z0-9%]/g, '')
  return letters
    .replace(/^%|%$/, '')
    .concat(/%/.test(letters) ? 'percent' : '')
    .replace(/percentpercent$/, 'percent')
}

/** What a person is told who imports. */
export function usage(message: string, options: { hint?: string } = {}): TidemarkError {
  return new TidemarkError('E_USAGE', message, options)
}
