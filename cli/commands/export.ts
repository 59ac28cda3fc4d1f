import { createReadStream } from 'node:fs'
import { mkdtemp, open, rename, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { pipeline } from 'node:stream/promises'
import type { Snapshot } from '../../lake/delta/port.ts'
import { type Above, cellsAbove } from '../../lake/export/above.ts'
import {
  EXPORT_FORMATS,
  type ExportFormat,
  type ExportPlan,
  exportColumns,
  planExport,
} from '../../lake/export/plan.ts'
import { type QueryTable, queryTables, readTable } from '../../lake/query/catalog.ts'
import { allViews, type LakeTables } from '../../lake/tables/deployment.ts'
import { DEFAULT_DATASET } from '../../schemas/dataset.ts'
import { messagesTable } from '../../schemas/definitions.ts'
import { TidemarkError } from '../../schemas/errors.ts'
import { ANSWER_MS_MAX, ANSWER_MS_MIN } from '../../schemas/time.ts'
import { iso } from '../../serving/http/present.ts'
import { parseInstant } from '../../serving/range.ts'
import { type Args, type Command, type Io, LAKE_SETTINGS } from '../command.ts'
import { nodeClock } from '../host/clock.ts'
import { nodeDisk } from '../host/disk.ts'
import { diskError } from '../host/disk-error.ts'
import { nodeRandom } from '../host/random.ts'
import { builtInDefinitions } from '../settings/definitions.ts'
import { amount } from './amount.ts'
import { pairs } from './pairs.ts'

export const exportCommand: Command = {
  name: 'export',
  summary: 'Messages or a view out of the lake: a range of them as parquet, csv or ndjson',
  flags: [
    { name: 'messages', about: 'The messages of a dataset' },
    { name: 'dataset', value: 'NAME', about: `With --messages: which dataset (${DEFAULT_DATASET})` },
    { name: 'view', value: 'NAME', about: 'The rows of a view, with what the real-time layer committed' },
    { name: 'from', value: 'TIME', about: 'Rows at or after this time (all)' },
    { name: 'to', value: 'TIME', about: 'Rows before this time (all)' },
    { name: 'where', value: 'COLUMN=VALUE,...', about: 'Only rows with these values (all)' },
    {
      name: 'format',
      value: 'FORMAT',
      about: `${EXPORT_FORMATS.join(', ')} (as the file is called, or csv)`,
    },
    { name: 'output', value: 'FILE', about: 'Where the rows go; - is standard output (-)' },
  ],
  settings: ['data', ...LAKE_SETTINGS],
  needsData: true,
  example: 'tidemark export --messages --from 2026-11-22 --to 2026-11-23 --output day.parquet',
  run,
}

async function run({ flags, settings }: Args, io: Io): Promise<number> {
  const output = flags.output === undefined || flags.output === '-' ? null : resolve(io.cwd, flags.output)
  if (output !== null && (await stat(output).catch(() => null))?.isDirectory())
    throw new TidemarkError('E_USAGE', `--output ${flags.output} is a folder; name a file`)
  const format = formatOf(flags.format, output)
  if (output === null && format === 'parquet' && process.stdout.isTTY)
    throw new TidemarkError('E_USAGE', 'Parquet is nothing for a terminal; say --output FILE')
  const range = {
    fromMs: flags.from === undefined ? ANSWER_MS_MIN : parseInstant('--from', flags.from, 'UTC'),
    toMs: flags.to === undefined ? ANSWER_MS_MAX + 1 : parseInstant('--to', flags.to, 'UTC'),
  }
  if (range.toMs < range.fromMs) throw new TidemarkError('E_USAGE', '--to must not be before --from')
  // Loaded only where it runs.
  const { openLake } = await import('../compose/open-lake.ts')
  const { writeExport } = await import('../../lake/export/export.ts')
  const host = { disk: nodeDisk(), clock: nodeClock(), random: nodeRandom() }
  const { encodeCells } = await import('../../lake/parquet/cells.ts')
  const tables = openLake(settings, settings.definitions(await builtInDefinitions()), host)
  const table = tableOf(tables, flags)
  const where = pairs('where', flags.where)
  checkColumns(table, where)
  const snapshot = await table.table.snapshot()
  const view = allViews(tables).find(({ published }) => published.name === table.name)
  const above = view === undefined ? null : await cellsAbove(view, snapshot)
  const planned = planExport(table, snapshot, { ...range, where })
  const stopping = new AbortController()
  void io.stopped.then(() => stopping.abort())
  const scratch = await mkdtemp(join(tmpdir(), 'tidemark-export-'))
  try {
    const plan: { -readonly [K in keyof ExportPlan]: ExportPlan[K] } = { ...planned }
    if (above !== null && above.cells.length > 0) {
      const path = join(scratch, 'above.parquet')
      await writeFile(path, encodeCells(above.cells))
      plan.instead = { path, columns: [...above.cells.view.key, 'time_stamp'] }
    }
    const write = (path: string) => writeExport(plan, table.table, format, path, stopping.signal)
    const rows =
      output === null ? await toStandardOutput(write, join(scratch, 'rows')) : await toFile(write, output)
    if (rows !== null) io.err(`${amount(rows, 'row')} of ${table.name}${basis(table, snapshot, above)}\n`)
    return 0
  } catch (error) {
    throw error instanceof TidemarkError ? error : diskError(scratch, error)
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
}

function formatOf(asked: string | undefined, output: string | null): ExportFormat {
  const known = EXPORT_FORMATS.find((one) => one === asked)
  if (known !== undefined) return known
  if (asked !== undefined) throw new TidemarkError('E_USAGE', `--format must be ${EXPORT_FORMATS.join(', ')}`)
  if (output === null) return 'csv'
  const found = EXPORT_FORMATS.find((one) => output.endsWith(`.${one}`))
  if (found !== undefined) return found
  if (output.endsWith('.jsonl')) return 'ndjson'
  throw new TidemarkError('E_USAGE', `what is in ${output}? Say --format ${EXPORT_FORMATS.join(', ')}`)
}

function tableOf(tables: LakeTables, { messages, dataset, view }: Args['flags']): QueryTable {
  if ((messages === undefined) === (view === undefined))
    throw new TidemarkError('E_USAGE', 'say --messages or --view NAME, one of them')
  if (view !== undefined && dataset !== undefined)
    throw new TidemarkError('E_USAGE', '--dataset goes with --messages; a view has its own')
  const all = tables.datasets
  const names =
    view === undefined
      ? all.map((one) => one.dataset.name)
      : all.flatMap(({ views }) => views.map((one) => one.view.name))
  const name = view ?? dataset ?? DEFAULT_DATASET
  if (!names.includes(name))
    throw new TidemarkError(
      'E_USAGE',
      `there is no ${view === undefined ? 'dataset' : 'view'} ${name}; there are ${names.join(', ')}`,
    )
  const table = view === undefined ? messagesTable(name) : name
  return queryTables(tables).find((one) => one.name === table)!
}

function checkColumns({ name, schema }: QueryTable, where: { readonly [column: string]: string }): void {
  const columns = exportColumns(schema)
    .filter(({ type }) => type === 'string')
    .map((field) => field.name)
  for (const column of Object.keys(where))
    if (!columns.includes(column))
      throw new TidemarkError('E_USAGE', `--where ${column}: ${name} can be asked by ${columns.join(', ')}`)
}

/** Under its name once it is whole and durable; what another left there before is replaced. */
async function toFile(write: (path: string) => Promise<number>, output: string): Promise<number> {
  const part = `${output}.part`
  try {
    const rows = await write(part)
    await using file = await open(part, 'r+')
    await file.sync()
    await rename(part, output)
    return rows
  } catch (error) {
    await rm(part, { force: true }).catch(() => {})
    throw error instanceof TidemarkError ? error : diskError(output, error)
  }
}

/** By way of the file at `path`, so that nothing is given out of an export that fails. Null: who read it went away. */
async function toStandardOutput(
  write: (path: string) => Promise<number>,
  path: string,
): Promise<number | null> {
  try {
    const rows = await write(path)
    await pipeline(createReadStream(path), process.stdout, { end: false })
    return rows
  } catch (error) {
    // A reader that went away has read all it wanted.
    if ((error as NodeJS.ErrnoException).code === 'EPIPE') return null
    throw error instanceof TidemarkError ? error : diskError('standard output', error)
  }
}

/** From where on rows are missing. */
function basis(table: QueryTable, snapshot: Snapshot | null, above: Above | null): string {
  if (snapshot === null) return ': there are none yet'
  const { version, sealedToMs } = readTable(table, snapshot)
  const ticks = above === null || above.ticks === 0 ? '' : ` and ${above.ticks} ticks`
  const toMs = above?.upToMs ?? sealedToMs ?? 0
  const what =
    toMs === 0 ? 'nothing of the log, imports alone' : `what was accepted up to ${iso(toMs)} and imports`
  const next =
    above === null ? 'newer messages come with' : 'what came since is missing, until the next tick or'
  return `, version ${version}${ticks}; it holds ${what}, ${next} the next \`tidemark batch --once\``
}
