import { join } from 'node:path'
import { reasonIn } from '../../../batch/engines/spark.ts'
import { allViews } from '../../../lake/tables/deployment.ts'
import { Coalesced } from '../../../schemas/coalesced.ts'
import { describeError, TidemarkError } from '../../../schemas/errors.ts'
import { sleep } from '../../../schemas/ports/clock.ts'
import { removeOldTicks } from '../../../speed/old-ticks.ts'
import { openTicks } from '../../../speed/view-chains.ts'
import { EndsSeen, vouch } from '../../../speed/vouch.ts'
import { sparkSubmit } from '../../host/spark-submit.ts'
import type { Settings } from '../../settings/settings.ts'
import type { Closing } from '../closing.ts'
import { every } from '../every.ts'
import type { SharedLog } from '../log.ts'
import type { Joined } from './joined.ts'
import { type Layer, type LayerHost, reasonsOf } from './layer.ts'
import { parseTold, speedJob, startingOffsets } from './spark-speed-job.ts'

/** A job that ended is submitted again so much later. */
const AGAIN_MS = 5_000
/** How often it is noted where the log ends. */
const LOOK_MS = 1_000
/** Rounds of vouching between two clean-ups of the ticks. */
const TEND_EVERY = 20

/**
 * Starts the speed layer as a job of Spark, of which this process is the driver's parent:
 *
 *     topic ─▶ Spark's executors ─▶ `tidemark speed --fold-stdin` ─▶ ticks
 *     here: submits the job from where the lake's ticks end ─▶ says up to when they hold everything
 */
export async function startSparkSpeed(
  settings: Settings,
  { joined, shared: { log } }: { joined: Joined; shared: SharedLog },
  { clock, disk, random, logLine }: LayerHost,
  closing: Closing,
): Promise<Layer> {
  const views = allViews(joined.tables)
  const submitter = sparkSubmit(settings.text('spark.home'))
  const scratch = join(settings.dataDir(), 'scratch', 'spark-speed')
  const ends = new EndsSeen()
  const stop = new AbortController()
  let jobFailing: string | null = 'spark: the job is starting'
  /** Why the last batch of the job that runs failed. */
  let batchFailed: string | null = null
  const counts = { batchesFolded: 0, recordsGiven: 0, blocksAsked: 0, jobsStarted: 0 }
  for (const view of views) await openTicks(view)

  let rounds = 0
  const vouching = new Coalesced(
    async () => {
      for (const view of views) await vouch(view, log, ends)
      rounds += 1
      if (rounds % TEND_EVERY !== 0) return
      for (const view of views) await removeOldTicks(view, clock, settings.durationMs('lake.retention'))
    },
    { say: (reason) => logLine(`speed: ${reason}; trying again`), retry: { clock, ms: AGAIN_MS } },
  )

  function heed(text: string) {
    const told = parseTold(text)
    if (told === null) return
    if ('failed' in told) {
      batchFailed = told.failed
      return
    }
    jobFailing = null
    if (told.folded.length > 0) counts.batchesFolded += 1
    for (const { given, asked } of told.folded) {
      counts.recordsGiven += given
      counts.blocksAsked += asked
    }
    void vouching.kick()
  }

  async function runJob() {
    const cwd = `${scratch}/${random.hex(8)}`
    await disk.makeDir(cwd)
    counts.jobsStarted += 1
    batchFailed = null
    try {
      const { args, env } = speedJob(settings, cwd, await startingOffsets(views, log))
      const { code, said } = await submitter.submit(args, { cwd, env, line: heed }, stop.signal)
      const reason = batchFailed ?? reasonIn(said)
      throw new TidemarkError('E_ENGINE', `spark: ${reason || `it ended with ${code}`}`)
    } finally {
      await submitter.removeFolder(cwd).catch(() => {})
    }
  }

  async function runJobs() {
    await submitter.removeFolder(scratch).catch(() => {})
    while (!stop.signal.aborted) {
      try {
        await runJob()
      } catch (error) {
        if (stop.signal.aborted) return
        jobFailing = describeError(error)
        logLine(`speed: ${jobFailing}; the job is submitted again in ${AGAIN_MS / 1_000} s`)
        await sleep(clock, AGAIN_MS, stop.signal)
      }
    }
  }

  const running = runJobs()
  closing.add('spark job', async () => {
    stop.abort(new Error('it stops'))
    await running
    await vouching.close()
  })
  closing.add(
    'looking at the log',
    every(clock, LOOK_MS, async () => ends.note(log, clock.nowMs())),
  )
  closing.add(
    'vouching',
    every(clock, settings.durationMs('speed.tick'), async () => void vouching.kick()),
  )
  const state = () => {
    const reason = jobFailing ?? vouching.failing
    return { state: reason === null ? 'ok' : 'failing', reason }
  }
  return {
    greeting: [['spark', settings.text('spark.master')]],
    status: async () => ({ speed: { ...state(), ...counts }, log: log.state() }),
    reasons: async () => reasonsOf({ log: log.state(), speed: state() }),
  }
}
