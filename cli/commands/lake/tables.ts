import { openTable } from '../../../lake/delta/table.ts'
import { TidemarkError } from '../../../schemas/errors.ts'
import { iso } from '../../../serving/http/present.ts'
import type { Args, Io } from '../../command.ts'
import { lakeStore } from '../../compose/lake-store.ts'
import { textTable } from '../../help.ts'
import { nodeClock } from '../../host/clock.ts'
import { nodeDisk } from '../../host/disk.ts'
import { nodeRandom } from '../../host/random.ts'

const DEFAULT_TABLE = 'messages'
const COMMIT = /\/_delta_log\/(\d{20})\.json$/

/** What a commit says, as far as it is shown. */
interface Action {
  readonly commitInfo?: { readonly timestamp?: number; readonly operation?: string }
  readonly add?: { readonly size: number; readonly stats?: string }
  readonly remove?: { readonly size?: number }
  readonly txn?: { readonly appId: string; readonly version: number }
}

function openStore({ settings }: Args) {
  const host = { disk: nodeDisk(), clock: nodeClock(), random: nodeRandom() }
  const { store } = lakeStore(settings, host)
  return { store, table: (name: string) => openTable(name, { store, ...host }) }
}

/** Throws `E_NOT_FOUND`, which names the tables that there are. */
async function existing(store: ReturnType<typeof openStore>['store'], name: string): Promise<void> {
  if ((await store.list(`${name}/_delta_log/`)).length > 0) return
  const keys = (await store.list('')).flatMap(({ key }) => /^([^/]+)\/_delta_log\//.exec(key)?.[1] ?? [])
  const known = [...new Set(keys)].join(', ')
  throw new TidemarkError(
    'E_NOT_FOUND',
    `there is no table ${name}; ${known === '' ? 'the lake is empty' : `there are ${known}`}`,
  )
}

/** `tidemark lake log [TABLE]`: the versions of a table that its log still has, newest first. */
export async function lakeLog(args: Args, io: Io): Promise<number> {
  const name = args.operands[1] ?? DEFAULT_TABLE
  const { store } = openStore(args)
  await existing(store, name)
  const rows: { [column: string]: string | number | null }[] = []
  for (const { key } of await store.list(`${name}/_delta_log/`)) {
    const version = COMMIT.exec(key)?.[1]
    const bytes = version === undefined ? null : await store.get(key)
    if (bytes === null) continue
    const actions = new TextDecoder()
      .decode(bytes)
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Action)
    const info = actions.find(({ commitInfo }) => commitInfo !== undefined)?.commitInfo
    const adds = actions.flatMap(({ add }) => add ?? [])
    const rowsOf = ({ stats = '{}' }: { stats?: string }) =>
      (JSON.parse(stats) as { numRecords?: number }).numRecords ?? 0
    rows.push({
      version: Number(version),
      time: info?.timestamp === undefined ? null : iso(info.timestamp),
      operation: info?.operation ?? null,
      files_added: adds.length,
      files_removed: actions.filter(({ remove }) => remove !== undefined).length,
      rows_added: adds.reduce((sum, add) => sum + rowsOf(add), 0),
      bytes_added: adds.reduce((sum, { size }) => sum + size, 0),
      txns: actions
        .flatMap(({ txn }) => (txn === undefined ? [] : [`${txn.appId}=${txn.version}`]))
        .join(' '),
    })
  }
  print(args, io, rows.reverse())
  return 0
}

/** `tidemark lake files [TABLE]`: the files of a table's newest version, by date. */
export async function lakeFilesOf(args: Args, io: Io): Promise<number> {
  const name = args.operands[1] ?? DEFAULT_TABLE
  const { store, table } = openStore(args)
  await existing(store, name)
  const snapshot = await table(name).snapshot()
  const rows = [...(snapshot?.files.values() ?? [])].map(
    ({ path, partition, rows: count, size, min, max }) => ({
      date: partition.date ?? null,
      rows: count,
      bytes: size,
      first_time: text(min.time_stamp),
      last_time: text(max.time_stamp),
      path,
    }),
  )
  rows.sort((a, b) => (a.path < b.path ? -1 : 1))
  print(args, io, rows)
  const sum = (of: (row: (typeof rows)[number]) => number) => rows.reduce((all, row) => all + of(row), 0)
  io.err(
    `${name}, version ${snapshot?.version ?? 'none'}: ${rows.length} files, ${sum((row) => row.rows)} rows, ${sum((row) => row.bytes)} bytes\n`,
  )
  return 0
}

const text = (value: unknown) => (value === undefined || value === null ? null : String(value))

function print(
  { flags }: Args,
  io: Io,
  rows: readonly { readonly [column: string]: string | number | null }[],
): void {
  const format = flags.format ?? 'table'
  if (format === 'json') {
    for (const row of rows) io.out(`${JSON.stringify(row)}\n`)
    return
  }
  if (format !== 'table') throw new TidemarkError('E_USAGE', '--format must be table or json')
  const columns = Object.keys(rows[0] ?? { nothing: null })
  io.out(textTable([columns, ...rows.map((row) => columns.map((name) => String(row[name] ?? '')))]))
}
