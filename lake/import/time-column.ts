import { type ImportColumn, type ImportSource, ownColumns } from './columns.ts'
import { mappedColumn } from './mapped.ts'
import { columnFor, type Found, type ImportOptions, usage } from './named-column.ts'
import {
  guessTimeForm,
  isClockAlone,
  isDateAlone,
  namedTimeForm,
  type TimeForm,
  typedTimeForm,
} from './times.ts'

/** Where the time of a row stands: in one column, or its date and its time of day in two. */

/** The column of the time, and how its times are written. */
export interface FoundTime {
  readonly column: ImportColumn
  readonly by: Found['by']
  readonly form: TimeForm
}

/** Which of several columns is the date, and which the time of day. */
const DATE_NAMES = /^(date|day|datum)$/i
const CLOCK_NAMES = /^(time|clock|uhrzeit|zeit)$/i

/** The column of the time, where one is known. */
export function timeColumnOf(source: ImportSource, options: ImportOptions): ImportColumn | null {
  return find(source.columns, options, new Set())?.column ?? null
}

/** The column of the time and how its times are written; `taken` gains its name. Null where there is none. Throws `E_USAGE`. */
export function timeOf(
  { columns }: ImportSource,
  options: ImportOptions,
  taken: Set<string>,
): FoundTime | null {
  const found = find(columns, options, taken)
  if (found === null) return null
  const { column } = found
  for (const { name } of ownColumns(column)) taken.add(name)
  const { timeFormat } = options
  const form =
    timeFormat === null
      ? (typedTimeForm(column.type) ?? guessTimeForm(column.samples))
      : namedTimeForm(timeFormat)
  const sample = column.samples[0] ?? ''
  if (form === 'ambiguous')
    throw usage(
      `column ${column.name} has dates like ${sample}, of which day and month cannot be told apart; say --time-format '%d/%m/%Y %H:%M:%S' or '%m/%d/%Y %H:%M:%S'`,
    )
  if (form === null && column.samples.length === 0)
    throw usage(`${column.name} is the time, and empty in the first rows`, {
      hint: 'say --map time_stamp=COLUMN for another column',
    })
  if (form === null && isClockAlone(sample))
    throw usage(`column ${column.name} has times of day without a date, like ${sample}`, {
      hint: 'say --map time_stamp=DATE+TIME where the date has a column of its own',
    })
  if (form === null)
    throw usage(
      `column ${column.name} has no times that are known, like ${JSON.stringify(sample)}; say --time-format with s, ms, us, ns or a format of strptime`,
    )
  if (form.kind === 'number' && column.parts !== undefined)
    throw usage(`--time-format ${timeFormat}: a date and a time of day make no number`, {
      hint: `say how both are written, with a blank between, like --time-format '%d.%m.%y %H:%M:%S'`,
    })
  return { ...found, form }
}

function find(
  columns: readonly ImportColumn[],
  options: ImportOptions,
  taken: ReadonlySet<string>,
): Found | null {
  const said = options.map.time_stamp
  const one = columnFor(columns, 'time_stamp', options, taken)
  if (one?.by === 'map' || one?.by === 'name') return one
  if (said !== undefined) {
    const column = pairOf(said, columns)
    return column === null ? null : { column, by: 'map' }
  }
  const meant = Object.values(options.map).map((text) => mappedColumn(text, columns).name)
  const free = columns.filter(({ name }) => !taken.has(name) && !meant.includes(name))
  const pair = one === null || isDates(one.column) || isClocks(one.column) ? guessedPair(free) : null
  if (pair !== null) return { column: pair, by: 'guess' }
  return one ?? onlyTimes(free)
}

/** The two columns that a person names as `DATE+TIME`; null where there are no such. */
export function pairOf(said: string, columns: readonly ImportColumn[]): ImportColumn | null {
  const named = (name: string) => columns.find((column) => column.name === name)
  if (named(said) !== undefined) return null
  for (let at = said.indexOf('+'); at !== -1; at = said.indexOf('+', at + 1)) {
    const [date, clock] = [named(said.slice(0, at)), named(said.slice(at + 1))]
    if (date !== undefined && clock !== undefined) return joined(date, clock)
  }
  return null
}

/** The only date and the only time of day, or those that are called so. */
function guessedPair(free: readonly ImportColumn[]): ImportColumn | null {
  const choose = (fit: readonly ImportColumn[], names: RegExp) =>
    fit.length === 1 ? fit[0] : fit.find(({ name }) => names.test(name.trim()))
  const date = choose(free.filter(isDates), DATE_NAMES)
  const clock = choose(free.filter(isClocks), CLOCK_NAMES)
  return date === undefined || clock === undefined ? null : joined(date, clock)
}

function joined(date: ImportColumn, clock: ImportColumn): ImportColumn {
  const samples = date.samples.slice(0, clock.samples.length)
  return {
    name: `${date.name}+${clock.name}`,
    type: 'VARCHAR',
    samples: samples.map((text, i) => `${dateText(date, text)} ${clock.samples[i]}`),
    parts: [date, clock],
  }
}

/** Types that hold a time too say midnight. */
const dateText = ({ type }: ImportColumn, text: string) =>
  type.startsWith('TIMESTAMP') ? text.slice(0, 10) : text

function isDates({ type, samples }: ImportColumn): boolean {
  if (type.startsWith('TIMESTAMP')) return mostly(samples, (text) => /^\S+ 00:00:00(\+00)?$/.test(text))
  return type === 'DATE' || mostly(samples, isDateAlone)
}

const isClocks = ({ samples }: ImportColumn) => mostly(samples, isClockAlone)

const mostly = (samples: readonly string[], fits: (text: string) => boolean) =>
  samples.filter(fits).length > samples.length / 2

function onlyTimes(free: readonly ImportColumn[]): Found | null {
  const fit = free.filter(
    ({ type, samples }) => typedTimeForm(type) !== null || guessTimeForm(samples) !== null,
  )
  return fit.length === 1 ? { column: fit[0]!, by: 'guess' } : null
}
