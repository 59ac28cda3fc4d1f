import { type Act, openAudit } from '../../../lake/audit.ts'
import { SAFE_RETENTION_MS } from '../../../lake/delta/cleanup.ts'
import { findUnfinished, removeUnfinished } from '../../../lake/expire/unfinished.ts'
import { queryTables } from '../../../lake/query/catalog.ts'
import { mergeAll } from '../../../lake/writer/merge-files.ts'
import { type Merge, planMerges } from '../../../lake/writer/merge-plan.ts'
import { describeError, TidemarkError } from '../../../schemas/errors.ts'
import { HOUR_MS } from '../../../schemas/time.ts'
import { type Args, type Io, logLineTo } from '../../command.ts'
import { lakeStore } from '../../compose/lake-store.ts'
import { tablesIn } from '../../compose/open-lake.ts'
import { nodeClock } from '../../host/clock.ts'
import { nodeDisk } from '../../host/disk.ts'
import { nodeRandom } from '../../host/random.ts'
import { userName } from '../../host/user.ts'
import { builtInDefinitions } from '../../settings/definitions.ts'
import { type Line, report } from './report.ts'

/**
 * Upkeep of the tables when a person wants it, by the plans of the layers' own. It is safe beside them, `up` and readers: a merge
 * commits or gives up as theirs do, and a vacuum removes what theirs would.
 */

const host = () => ({ disk: nodeDisk(), clock: nodeClock(), random: nodeRandom() })

export async function openTables({ settings }: Args) {
  const deps = host()
  const { store } = lakeStore(settings, deps)
  return { ...deps, store, tables: tablesIn(store, settings.definitions(await builtInDefinitions()), deps) }
}

/** `tidemark lake compact`: many small files of messages become few large ones, in order. */
export async function lakeCompact(args: Args, io: Io): Promise<number> {
  const { clock, tables, ...opened } = await openTables(args)
  const isDry = args.flags['dry-run'] !== undefined
  const lines = report(args, io, ['table', 'date', 'files', 'rows', 'bytes', 'bytes_after'])
  const isStopped = stopped(io)
  if (isDry) {
    for (const { messages } of tables.datasets) {
      const files = (await messages.snapshot())?.files.values() ?? []
      for (const merge of planMerges(files, clock.nowMs(), Number.POSITIVE_INFINITY))
        lines.add(mergeLine(messages.name, merge, null))
    }
    return lines.end('Nothing is to be merged.')
  }
  const { sealThread } = await import('../../host/seal-thread.ts')
  const encoder = sealThread()
  let rows = 0
  const logLine = logLineTo(io, () => clock.nowMs())
  try {
    await recorded({ ...opened, clock }, 'lake compact', async () => {
      for (const { dataset, messages } of tables.datasets) {
        if ((await messages.snapshot()) === null) continue
        const merged = (merge: Merge, { size }: { size: number }) => {
          rows += rowsOf(merge)
          lines.add(mergeLine(messages.name, merge, size))
        }
        await mergeAll({ dataset, messages, encoder, clock, logLine, merged }, isStopped)
      }
      return rows
    })
  } finally {
    await encoder.close()
  }
  const code = lines.end('Nothing was to be merged.')
  if (isStopped())
    throw new TidemarkError('E_CANCELLED', 'the compaction was stopped; what was merged stays so')
  return code
}

const rowsOf = ({ inputs }: Merge) => inputs.reduce((sum, file) => sum + file.rows, 0)

function mergeLine(table: string, merge: Merge, bytes_after: number | null): Line {
  const bytes = merge.inputs.reduce((sum, { size }) => sum + size, 0)
  return { table, date: merge.date, files: merge.inputs.length, rows: rowsOf(merge), bytes, bytes_after }
}

/** `tidemark lake vacuum`: files and log entries that no version within the retention needs are removed. */
export async function lakeVacuum(args: Args, io: Io): Promise<number> {
  const { clock, tables, ...opened } = await openTables(args)
  const retentionMs = args.settings.durationMs('lake.retention')
  const isDry = args.flags['dry-run'] !== undefined
  const forced = args.flags.force !== undefined
  if (retentionMs < SAFE_RETENTION_MS && !isDry && !forced)
    throw new TidemarkError(
      'E_USAGE',
      `lake.retention is shorter than ${SAFE_RETENTION_MS / HOUR_MS}h: runs and queries that go on could lose the files they read, and versions that were current minutes ago could no longer be read; say --force where nothing else uses the lake`,
    )
  const lines = report(args, io, ['table', 'path', 'bytes', 'modified'])
  const isStopped = stopped(io)
  const vacuum = async () => {
    for (const dataset of tables.datasets) {
      const unfinished = isDry ? await findUnfinished(dataset, clock) : await removeUnfinished(dataset, clock)
      for (const { table, files } of unfinished)
        for (const { path, size, modifiedMs } of files)
          lines.add({ table, path, bytes: size, modified: new Date(modifiedMs).toISOString() })
    }
    for (const { name, table } of queryTables(tables)) {
      if (isStopped()) break
      const nowMs = clock.nowMs()
      const gone = await table.removable(nowMs, retentionMs)
      if (!isDry) await table.tend(nowMs, retentionMs)
      for (const { key, size, modifiedMs } of gone) {
        const modified = new Date(modifiedMs).toISOString()
        lines.add({ table: name, path: key.slice(name.length + 1), bytes: size, modified })
      }
    }
    return 0
  }
  if (isDry) await vacuum()
  else await recorded({ ...opened, clock }, 'lake vacuum', vacuum, { retention_ms: retentionMs, forced })
  return lines.end(isDry ? 'Nothing is to be removed.' : 'Nothing was to be removed.')
}

/** Whether the person wants it to end. */
function stopped(io: Io): () => boolean {
  let is = false
  void io.stopped.then(() => {
    is = true
  })
  return () => is
}

/** Does `act`, which says how many rows it changed, and leaves a record of it in the lake. */
export async function recorded(
  deps: Parameters<typeof openAudit>[0],
  what: string,
  act: () => Promise<number>,
  about: Act['about'] = {},
): Promise<void> {
  const audit = openAudit(deps)
  const done: Omit<Act, 'rows' | 'result'> = { who: `user ${userName()}`, what, about }
  try {
    const rows = await act()
    await audit.record({ ...done, rows, result: 'done' })
  } catch (error) {
    await audit.record({ ...done, rows: null, result: describeError(error) }).catch(() => {})
    throw error
  }
}
