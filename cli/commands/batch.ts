import type { Batch } from '../../batch/batch.ts'
import type { Definitions } from '../../schemas/definitions.ts'
import { describeError, TidemarkError } from '../../schemas/errors.ts'
import { sleep } from '../../schemas/ports/clock.ts'
import type { RunRecord, RunState } from '../../schemas/ports/layers.ts'
import { type PresentedState, parseRun } from '../../serving/http/present-run.ts'
import { ALL_SETTINGS, type Args, type Command, type Io, logLineTo } from '../command.ts'
import { Closing } from '../compose/closing.ts'
import type { Host } from '../compose/host.ts'
import { nodeClock } from '../host/clock.ts'
import { nodeDisk } from '../host/disk.ts'
import { nodeRandom } from '../host/random.ts'
import { builtInDefinitions } from '../settings/definitions.ts'
import type { Settings } from '../settings/settings.ts'
import { askRunning } from './ask.ts'
import { refuseLacking, runLayerCommand } from './layers.ts'
import { type Progress, withProgress } from './progress.ts'
import { runLine } from './runs.ts'

export const batch: Command = {
  name: 'batch',
  summary: 'Recompute the batch views: one run, in the process that holds the data or in this one',
  flags: [
    { name: 'once', about: 'One run, then exit' },
    { name: 'full', about: 'Recompute every hour, not only those with new messages' },
    { name: 'engine', value: 'NAME', about: 'duckdb, spark or reference; default: batch.engine' },
  ],
  settings: ALL_SETTINGS,
  example: 'tidemark batch --once --full',
  run,
}

/** How often a run in another process is asked how far it is. */
const ASK_EVERY_MS = 200
const ANSWER_MS_MAX = 30_000

async function run(args: Args, io: Io): Promise<number> {
  if (args.flags.once === undefined) return runScheduled(args, io)
  const full = args.flags.full !== undefined
  const isShared = args.settings.text('log.url') !== ''
  const records = (isShared ? null : await runElsewhere(args, full, io)) ?? (await runHere(args, full, io))
  for (const record of records) io.out(`${runLine(record)}\n`)
  return records.some(({ result }) => result === 'failed' || result === 'cancelled') ? 1 : 0
}

/** Runs by the schedule, as a process of the batch layer alone. */
function runScheduled(args: Args, io: Io): Promise<number> {
  const { flags, settings } = args
  if (flags.full !== undefined || flags.engine !== undefined)
    throw new TidemarkError('E_USAGE', '--full and --engine go with --once; batch.engine is the setting')
  if (settings.text('log.url') === '')
    throw new TidemarkError(
      'E_NEEDS_SETTING',
      'tidemark batch alone needs log.url, where the log is that all processes share; say `tidemark batch --once` for one run',
      { field: 'log.url' },
    )
  return runLayerCommand('batch', args, io)
}

/** A run in the `up` that holds the data directory; null when there is none. Ctrl-C cancels the run. */
export async function runElsewhere(
  { settings, flags }: Pick<Args, 'settings' | 'flags'>,
  full: boolean,
  io: Io,
): Promise<readonly RunRecord[] | null> {
  const dataDir = settings.dataDir()
  const disk = nodeDisk()
  const clock = nodeClock()
  const { stopped } = io
  const ask = (path: string, method: 'GET' | 'POST' | 'DELETE', body?: object) =>
    askRunning(disk, dataDir, path, { method, ...(body && { body }), timeoutMs: ANSWER_MS_MAX })
  if ((await ask('/v1/views', 'GET')) === null) return null
  if (flags.engine !== undefined && flags.engine !== settings.text('batch.engine'))
    throw new TidemarkError(
      'E_USAGE',
      '--engine cannot be chosen while `up` holds the data directory; stop it first',
    )
  const started = (await ask('/v1/runs', 'POST', { full })) as { run: string } | null
  // It has stopped since.
  if (started === null) return null
  const path = `/v1/runs/${started.run}`
  void stopped.then(() => ask(path, 'DELETE').catch(() => {}))
  let state: PresentedState | null = null
  const ended = async () => {
    for (;;) {
      state = (await ask(path, 'GET')) as PresentedState | null
      if (state === null)
        throw new TidemarkError('E_CONNECT', `the process that ran ${started.run} has stopped`)
      if (state.state === 'ended') return state.views.map(parseRun)
      await sleep(clock, ASK_EVERY_MS)
    }
  }
  return withProgress(io, clock, `run ${started.run}`, () => progressOf(state), ended)
}

/** In this process, which has the data directory for itself meanwhile. Ctrl-C cancels the run. */
async function runHere({ settings, flags }: Args, full: boolean, io: Io): Promise<readonly RunRecord[]> {
  const clock = nodeClock()
  const logLine = logLineTo(io, () => clock.nowMs())
  const engine = flags.engine ?? settings.text('batch.engine')
  const closing = new Closing(logLine)
  const { stopped } = io
  try {
    const stopping = new AbortController()
    void stopped.then(() => stopping.abort())
    const host = { disk: nodeDisk(), clock, random: nodeRandom(), logLine, signal: stopping.signal }
    const definitions = settings.definitions(await builtInDefinitions())
    const options = { settings, definitions, command: 'batch', engine, scheduled: false }
    // Loaded only where it runs: others do without DuckDB.
    const open = settings.text('log.url') === '' ? openAlone : openShared
    const layer = await open(options, host, closing)
    return await runIn(layer, full, io)
  } finally {
    await closing.close()
  }
}

/** A run of a batch layer of this process. Ctrl-C cancels it. */
export async function runIn(layer: Batch, full: boolean, io: Io): Promise<readonly RunRecord[]> {
  const { run: id, ended } = layer.start({ full })
  void io.stopped.then(() => layer.cancel(id))
  const ask = () => progressOf(layer.status().active)
  return withProgress(io, nodeClock(), `run ${id}`, ask, () => ended)
}

interface BatchOptions {
  readonly settings: Settings
  readonly definitions: Definitions
  readonly command: string
  readonly engine: string
  readonly scheduled: boolean
}

async function openAlone(options: BatchOptions, host: Host, closing: Closing): Promise<Batch> {
  const { openData } = await import('../compose/data-directory.ts')
  return (await openData(options, host, closing)).batch
}

/** Over the log and the lake that other processes share. */
async function openShared({ settings, engine }: BatchOptions, host: Host, closing: Closing): Promise<Batch> {
  refuseLacking('batch', settings)
  const { startBatchAlone } = await import('../compose/layers/start.ts')
  const { sharedLogOf } = await import('../compose/log.ts')
  const failed = (error: Error) => host.logLine(describeError(error))
  const options = { scheduled: false, engine }
  return (await startBatchAlone(settings, sharedLogOf(settings, host), { ...host, failed }, closing, options))
    .batch
}

function progressOf(state: Pick<RunState, 'stage' | 'progress'> | null): Progress | null {
  if (state === null || state.stage === null) return null
  return { stage: state.stage, dates: state.progress }
}
