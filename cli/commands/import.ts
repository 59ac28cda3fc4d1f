import { mkdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Act } from '../../lake/audit.ts'
import { IMPORT_FORMATS, type ImportFile } from '../../lake/import/columns.ts'
import { Importing, isImported } from '../../lake/import/importer.ts'
import type { ImportOptions } from '../../lake/import/named-column.ts'
import type { DatasetTables } from '../../lake/tables/deployment.ts'
import { DEFAULT_DATASET } from '../../schemas/dataset.ts'
import { isError, TidemarkError } from '../../schemas/errors.ts'
import type { RunRecord } from '../../schemas/ports/layers.ts'
import { ALL_SETTINGS, type Args, type Command, type Io, logLineTo } from '../command.ts'
import { Closing } from '../compose/closing.ts'
import type { Host } from '../compose/host.ts'
import { recordAct } from '../compose/recorded-act.ts'
import { sentence } from '../failure.ts'
import { nodeClock } from '../host/clock.ts'
import { nodeDisk } from '../host/disk.ts'
import { ask, isSomebodyThere } from '../host/question.ts'
import { nodeRandom } from '../host/random.ts'
import { builtInDefinitions } from '../settings/definitions.ts'
import { amount } from './amount.ts'
import { askRunning } from './ask.ts'
import { runElsewhere, runIn } from './batch.ts'
import { ImportBar } from './import/bar.ts'
import { filesOf, lookAt, type NamedFile } from './import/files.ts'
import { scratchFor } from './import/scratch.ts'
import { previewText, refusedText } from './import/words.ts'
import { pairs } from './pairs.ts'
import { runLine } from './runs.ts'

export const importCommand: Command = {
  name: 'import',
  summary:
    'History into the lake: csv, ndjson, parquet and line protocol (gz, zst), folders, or - for standard input',
  operands: 'FILE|DIR|-...',
  flags: [
    { name: 'dataset', value: 'NAME', about: `Dataset that the rows are messages of (${DEFAULT_DATASET})` },
    { name: 'format', value: 'FORMAT', about: `${IMPORT_FORMATS.join(', ')} (as the file looks)` },
    {
      name: 'map',
      value: 'NAME=COLUMN,...',
      about: 'Columns of the file by those of the dataset; a date and a time apart: time_stamp=DATE+TIME',
    },
    { name: 'set', value: 'NAME=VALUE,...', about: 'Values that all rows have' },
    {
      name: 'time-format',
      value: 'FORMAT',
      about: 's, ms, us, ns, or as strptime: %d.%m.%Y %H:%M (as they look)',
    },
    { name: 'tz', value: 'ZONE', about: 'Time zone of times that have none (UTC)' },
    { name: 'header', value: 'NAME,...', about: 'Names of the columns of CSV that has no header' },
    { name: 'dry-run', about: 'Show what would be taken and refused; write nothing' },
    { name: 'yes', about: 'Do not ask before what was guessed is written' },
  ],
  settings: ALL_SETTINGS,
  example: 'tidemark import history.csv --set service=web --tz Europe/Berlin',
  run,
}

/** A lake that files can be brought into, and a run that makes their rows count. */
export interface Target {
  readonly tables: readonly DatasetTables[]
  run(): Promise<readonly RunRecord[]>
}

const ANSWER_MS_MAX = 30_000

async function run(args: Args, io: Io): Promise<number> {
  const { flags, operands, settings } = args
  if (operands.length === 0)
    throw new TidemarkError('E_USAGE', 'name a file, a folder, or - for standard input')
  const options = optionsOf(flags)
  const format = IMPORT_FORMATS.find((one) => one === flags.format) ?? null
  if (flags.format !== undefined && format === null)
    throw new TidemarkError('E_USAGE', `--format must be ${IMPORT_FORMATS.join(', ')}`)
  const host = { disk: nodeDisk(), clock: nodeClock(), random: nodeRandom() }
  const isDry = flags['dry-run'] !== undefined
  const scratch = await scratchFor(settings.dataDir(), isDry)
  const closing = new Closing(logLineTo(io, () => nodeClock().nowMs()))
  const stopping = new AbortController()
  void io.stopped.then(() => stopping.abort(new TidemarkError('E_CANCELLED', 'the import was stopped')))
  try {
    const files = await filesOf(operands, io.cwd, join(scratch, 'stdin'), stopping.signal)
    const target = isDry
      ? await readOnly(settings, host)
      : await openTarget(args, io, closing, stopping.signal)
    const tables = datasetOf(target, flags.dataset ?? DEFAULT_DATASET)
    const context = {
      io,
      flags,
      options,
      tables,
      scratch,
      dataDir: settings.dataDir(),
      signal: stopping.signal,
      record: (act: Recorded) => recordAct({ what: 'import', ...act }, settings, host, io.err),
    }
    let taken = 0
    let failed = 0
    for (const named of files) {
      try {
        if (await importFile(named, await lookAt(named, format, scratch, stopping.signal), context))
          taken += 1
      } catch (error) {
        stopping.signal.throwIfAborted()
        if (isError(error, 'E_CANCELLED')) throw error
        // The others are not held up by one.
        if (files.length === 1) throw error
        failed += 1
        io.err(`${named.name}: ${sentence(error)}\n`)
      }
    }
    if (taken > 0) for (const record of await target.run()) io.out(`${runLine(record)}\n`)
    return failed > 0 ? 1 : 0
  } finally {
    await closing.close()
    await rm(scratch, { recursive: true, force: true })
  }
}

interface Context {
  readonly io: Io
  readonly flags: Args['flags']
  readonly options: ImportOptions
  readonly tables: DatasetTables
  readonly scratch: string
  readonly dataDir: string
  readonly signal: AbortSignal
  /** Adds an import to the audit. */
  record(act: Recorded): Promise<void>
}

type Recorded = Pick<Act, 'about' | 'rows'>

/** Whether rows of the file came into the lake. */
async function importFile(named: NamedFile, file: ImportFile, context: Context): Promise<boolean> {
  const { io, flags, options, tables, signal } = context
  const { dataset, messages } = tables
  if (isImported(await messages.snapshot(), file.sha256)) {
    io.out(`${named.name}: is in the lake already; nothing changes\n`)
    return false
  }
  const bar = new ImportBar(io, nodeClock())
  const { size } = await stat(named.path)
  const deps = {
    reading: (share: number) => bar.reads(share, size),
    dataset,
    messages,
    clock: nodeClock(),
    scratch: { disk: nodeDisk(), removeTree: (dir: string) => rm(dir, { recursive: true, force: true }) },
    dir: join(context.scratch, 'rows'),
    signal,
  }
  const importing = await Importing.read(file, options, deps).finally(() => bar.clear())
  try {
    const { preview } = importing
    const { accepted, refused } = preview.staged
    io.err(previewText(named.name, preview, { dataset, zone: options.zone }))
    if (flags['dry-run'] !== undefined) {
      io.out(`${named.name}: ${amount(accepted, 'row')} would be taken\n${refusedText(refused, null)}`)
      return false
    }
    // Where nobody sits, what was said is enough.
    if (accepted > 0 && preview.isGuessed && flags.yes === undefined && isSomebodyThere(io)) {
      // What is agreed to is known before.
      io.err(`  ${amount(accepted, 'row')} would be taken\n${refusedText(refused, null)}`)
      const answer = await ask('Import it so?', io.stopped)
      if (answer === 'stop')
        throw new TidemarkError('E_CANCELLED', `the import was stopped, and nothing of ${named.name} written`)
      if (answer === 'no') {
        io.out(`${named.name}: nothing was written\n`)
        return false
      }
    }
    const kept =
      refused.length === 0 ? null : join(context.dataDir, 'rejects', `import-${file.sha256.slice(0, 16)}.csv`)
    if (kept !== null) {
      await mkdir(join(context.dataDir, 'rejects'), { recursive: true })
      await importing.keepRefused(kept)
    }
    if (accepted === 0) {
      io.out(`${named.name}: no row can be taken\n${refusedText(refused, kept)}`)
      throw new TidemarkError(
        'E_USAGE',
        `${named.name} has no row that can be taken; see --map, --set and --time-format`,
      )
    }
    const tell = (done: number, total: number) => bar.writes(done / total, accepted)
    const isTaken = await importing.commit(tell).finally(() => bar.clear())
    // Without its name, which may be that of what is erased later.
    const about = {
      dataset: dataset.name,
      sha256: file.sha256,
      refused: refused.reduce((sum, { rows }) => sum + rows, 0),
    }
    if (isTaken) await context.record({ about, rows: accepted })
    io.out(
      `${named.name}: ${isTaken ? `${amount(accepted, 'row')} taken` : 'is in the lake already'}\n${refusedText(refused, kept)}`,
    )
    return isTaken
  } finally {
    await importing.close()
  }
}

/** The lake as it is, or none yet: nothing is made. */
async function readOnly(
  settings: Args['settings'],
  host: Pick<Host, 'disk' | 'clock' | 'random'>,
): Promise<Target> {
  // Loaded only where it runs, as below.
  const { openLake } = await import('../compose/open-lake.ts')
  const { datasets } = openLake(settings, settings.definitions(await builtInDefinitions()), host)
  return { tables: datasets, run: async () => [] }
}

/**
 * The `up` that holds the data directory goes on meanwhile, as do the processes that share a log; where there is none, this
 * process opens the directory.
 */
export async function openTarget(args: Args, io: Io, closing: Closing, signal: AbortSignal): Promise<Target> {
  const { settings } = args
  const clock = nodeClock()
  const host = {
    disk: nodeDisk(),
    clock,
    random: nodeRandom(),
    logLine: logLineTo(io, () => clock.nowMs()),
    signal,
  }
  const definitions = settings.definitions(await builtInDefinitions())
  const { disk, random } = host
  const request = { method: 'GET', timeoutMs: ANSWER_MS_MAX } as const
  if (settings.text('log.url') !== '') {
    const { openLake } = await import('../compose/open-lake.ts')
    const run = async () => {
      io.out('the rows count with the next run of the batch layer\n')
      return []
    }
    return { tables: openLake(settings, definitions, { disk, clock, random }).datasets, run }
  }
  if ((await askRunning(disk, settings.dataDir(), '/v1/views', request)) !== null) {
    // Loaded only where it runs, as below.
    const { openLake } = await import('../compose/open-lake.ts')
    const { datasets } = openLake(settings, definitions, { disk, clock, random })
    const run = async () => (await runElsewhere({ settings, flags: {} }, false, io)) ?? []
    return { tables: datasets, run }
  }
  const { openData } = await import('../compose/data-directory.ts')
  const options = {
    settings,
    definitions,
    command: 'import',
    engine: settings.text('batch.engine'),
    scheduled: false,
  }
  const { tables, batch } = await openData(options, host, closing)
  return { tables: tables.datasets, run: () => runIn(batch, false, io) }
}

export function datasetOf({ tables }: Target, name: string): DatasetTables {
  const found = tables.find(({ dataset }) => dataset.name === name)
  if (found !== undefined) return found
  const known = tables.map(({ dataset }) => dataset.name).join(', ')
  throw new TidemarkError('E_USAGE', `there is no dataset ${name}; there are ${known}`)
}

/** Throws `E_USAGE`. */
export function optionsOf(flags: Args['flags']): ImportOptions {
  const zone = flags.tz ?? 'UTC'
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone })
  } catch {
    throw new TidemarkError('E_USAGE', `--tz ${zone} is no time zone; name one like Europe/Berlin`)
  }
  return {
    map: pairs('map', flags.map, 'COLUMN'),
    set: pairs('set', flags.set),
    timeFormat: flags['time-format'] ?? null,
    zone,
    header: flags.header?.split(',').map((name) => name.trim()) ?? null,
  }
}
