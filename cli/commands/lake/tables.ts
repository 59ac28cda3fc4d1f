import { openTable } from '../../../lake/delta/table.ts'
import { TableLog } from '../../../lake/delta/table-log.ts'
import { TidemarkError } from '../../../schemas/errors.ts'
import { iso } from '../../../serving/http/present.ts'
import type { Args, Io } from '../../command.ts'
import { lakeStore } from '../../compose/lake-store.ts'
import { nodeClock } from '../../host/clock.ts'
import { nodeDisk } from '../../host/disk.ts'
import { nodeRandom } from '../../host/random.ts'
import { report } from './report.ts'

const DEFAULT_TABLE = 'messages'

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
  const columns = [
    'version',
    'time',
    'operation',
    'files_added',
    'files_removed',
    'rows_added',
    'bytes_added',
    'txns',
  ]
  const lines = report(args, io, columns)
  const log = new TableLog(name, store)
  const { commits } = await log.list()
  for (const { version, timeMs, operation, added, removed, txns } of (
    await log.readCommits((commits[0] ?? 0) - 1, commits.at(-1) ?? -1)
  ).reverse())
    lines.add({
      version,
      time: timeMs === null ? null : iso(timeMs),
      operation,
      files_added: added.length,
      files_removed: removed.length,
      rows_added: added.reduce((sum, { file }) => sum + file.rows, 0),
      bytes_added: added.reduce((sum, { file }) => sum + file.size, 0),
      txns: Array.from(txns, ([app, txn]) => `${app}=${txn.version}`).join(' '),
    })
  return lines.end('The log has no versions.')
}

/** `tidemark lake files [TABLE]`: the files of a table's newest version, by date. */
export async function lakeFilesOf(args: Args, io: Io): Promise<number> {
  const name = args.operands[1] ?? DEFAULT_TABLE
  const { store, table } = openStore(args)
  await existing(store, name)
  const snapshot = await table(name).snapshot()
  const files = [...(snapshot?.files.values() ?? [])].sort((a, b) => (a.path < b.path ? -1 : 1))
  const lines = report(args, io, ['date', 'rows', 'bytes', 'first_time', 'last_time', 'path'])
  for (const { path, partition, rows, size, min, max } of files)
    lines.add({
      date: partition.date ?? null,
      rows,
      bytes: size,
      first_time: text(min.time_stamp),
      last_time: text(max.time_stamp),
      path,
    })
  lines.end('There are no files.')
  const rows = files.reduce((sum, file) => sum + file.rows, 0)
  const bytes = files.reduce((sum, file) => sum + file.size, 0)
  io.err(
    `${name}, version ${snapshot?.version ?? 'none'}: ${files.length} files, ${rows} rows, ${bytes} bytes\n`,
  )
  return 0
}

const text = (value: unknown) => (value === undefined || value === null ? null : String(value))
