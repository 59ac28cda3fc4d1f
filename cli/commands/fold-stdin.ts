import { allViews } from '../../lake/tables/deployment.ts'
import { RepeatStates } from '../../lake/tables/repeat-states.ts'
import { recordGroups } from '../../log/kafka/record-frames.ts'
import { TidemarkError } from '../../schemas/errors.ts'
import { foldGiven } from '../../speed/fold-given.ts'
import { type Args, type Io, logLineTo } from '../command.ts'
import { Closing } from '../compose/closing.ts'
import { openBoth } from '../compose/layers/start.ts'
import { sharedLogOf } from '../compose/log.ts'
import { nodeClock } from '../host/clock.ts'
import { nodeDisk } from '../host/disk.ts'
import { nodeRandom } from '../host/random.ts'

/** Records that are folded into one tick. */
const GROUP_BYTES_MAX = 16 << 20

/** Folds the records of one partition that another program hands over, and prints as JSON what it did. */
export async function foldStdin({ flags, settings }: Args, io: Io): Promise<number> {
  const partition = Number(flags['fold-stdin'])
  const clock = nodeClock()
  const logLine = logLineTo(io, () => clock.nowMs())
  const failed = (error: Error) => logLine(error.message)
  const host = { disk: nodeDisk(), clock, random: nodeRandom(), logLine, failed }
  const closing = new Closing(logLine)
  try {
    const options = { probes: false }
    const { joined, shared } = await openBoth(settings, sharedLogOf(settings, host), host, closing, options)
    const { log } = shared
    if (!log.partitions().includes(partition))
      throw new TidemarkError(
        'E_USAGE',
        `--fold-stdin must be a partition of the log, not ${flags['fold-stdin']}`,
      )
    const { store, tables } = joined
    const folded = await foldGiven(partition, recordGroups(process.stdin, GROUP_BYTES_MAX), {
      log,
      states: new RepeatStates({ store, clock, logLine }),
      views: allViews(tables),
      clock,
      retentionMs: settings.durationMs('lake.retention'),
      logLine,
    })
    io.out(`${JSON.stringify(folded)}\n`)
    return 0
  } finally {
    await closing.close()
  }
}
