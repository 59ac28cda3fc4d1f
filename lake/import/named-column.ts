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
