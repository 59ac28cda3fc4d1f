import { TidemarkError } from '../../schemas/errors.ts'
import type { RunRecord } from '../../schemas/ports/layers.ts'
import { serviceMinute } from '../../schemas/views/service-minute.ts'
import { type PresentedRun, parseRun } from '../../serving/http/present.ts'
import { askRunning } from '../ask.ts'
import { Closing } from '../closing.ts'
import { ALL_SETTINGS, type Args, type Command, type Io, logLineTo } from '../command.ts'
import { nodeClock } from '../host/clock.ts'
import { nodeDisk } from '../host/disk.ts'
import { nodeRandom } from '../host/random.ts'
import { type Progress, withProgress } from '../progress.ts'
import { runLine } from './runs.ts'

export const batch: Command = {
  name: 'batch',
  summary: 'Recompute the batch views: one run, in the process that holds the data or in this one',
  flags: [
    { name: 'once', about: 'One run, then exit' },
    { name: 'full', about: 'Recompute every hour, not only those with new messages' },
    { name: 'engine', value: 'NAME', about: 'duckdb or reference; default: batch.engine' },
  ],
  settings: ALL_SETTINGS,
  example: 'tidemark batch --once --full',
  run,
}

/** Longest run that is waited for. */
const RUN_MS_MAX = 24 * 3_600_000

async function run(args: Args, io: Io): Promise<number> {
  if (args.flags.once === undefined)
    throw new TidemarkError(
      'E_USAGE',
      'a batch layer alone needs a distributed log; say `tidemark batch --once` for one run',
    )
  const full = args.flags.full !== undefined
  const record = (await runElsewhere(args, full, io)) ?? (await runHere(args, full, io))
  io.out(`${runLine(record)}\n`)
  return record.result === 'failed' ? 1 : 0
}

/** In the `up` that holds the data directory; null when there is none. */
async function runElsewhere({ settings, flags }: Args, full: boolean, io: Io): Promise<RunRecord | null> {
  const request = { method: 'POST', body: { full }, timeoutMs: RUN_MS_MAX } as const
  const dataDir = settings.dataDir()
  const disk = nodeDisk()
  const progress = async () => {
    const status = await askRunning(disk, dataDir, '/v1/status', { method: 'GET', timeoutMs: 1_000 })
    return (status as { batch: { progress: Progress | null } } | null)?.batch.progress ?? null
  }
  const start = () => askRunning(disk, dataDir, '/v1/runs', request)
  const running = await withProgress(io, nodeClock(), progress, start)
  if (running !== null && flags.engine !== undefined && flags.engine !== settings.text('batch.engine'))
    throw new TidemarkError(
      'E_USAGE',
      '--engine cannot be chosen while `up` holds the data directory; stop it first',
    )
  return running === null ? null : parseRun(running as PresentedRun)
}

async function runHere({ settings, flags }: Args, full: boolean, io: Io): Promise<RunRecord> {
  const clock = nodeClock()
  const logLine = logLineTo(io, () => clock.nowMs())
  const engine = flags.engine ?? settings.text('batch.engine')
  const closing = new Closing(logLine)
  try {
    const host = { disk: nodeDisk(), clock, random: nodeRandom(), logLine }
    const options = { settings, view: serviceMinute, command: 'batch', engine, scheduled: false }
    // Loaded only where it runs: others do without DuckDB.
    const { openStoreRoom } = await import('../store-room.ts')
    const room = await openStoreRoom(options, host, closing)
    const progress = async () => room.batch.status().progress
    return await withProgress(io, clock, progress, () => room.batch.run({ full }))
  } finally {
    await closing.close()
  }
}
