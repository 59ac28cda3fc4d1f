import { endedRun } from '../../../batch/active-run.ts'
import { readRuns } from '../../../batch/records.ts'
import { TidemarkError } from '../../../schemas/errors.ts'
import type { RunStarter } from '../../../schemas/ports/layers.ts'
import { quietWake } from '../../../schemas/ports/wake.ts'
import type { AnswersServer } from '../../../serving/answer.ts'
import { iso } from '../../../serving/http/present.ts'
import { amountsOf, presentRun } from '../../../serving/http/present-run.ts'
import type { Tokens } from '../../access/tokens.ts'
import type { Settings } from '../../settings/settings.ts'
import { bucketReads } from '../bucket-reads.ts'
import type { Closing } from '../closing.ts'
import { hiddenPaths } from '../hidden-paths.ts'
import { servedQueries } from '../queries.ts'
import { startPages, startServing } from '../serving.ts'
import { servedView } from '../state.ts'
import { storageUse } from '../storage-use.ts'
import { layersElsewhere } from './elsewhere.ts'
import type { Joined } from './joined.ts'
import { type Layer, type LayerHost, reasonsOf } from './layer.ts'

/**
 * Starts a serving node of a deployment: it knows the lake alone, and fills its index from there. There may be any number of
 * them.
 */
export async function startServeLayer(
  settings: Settings,
  { joined, gate }: { joined: Joined; gate: Tokens },
  host: LayerHost,
  closing: Closing,
): Promise<Layer> {
  const { tables, deployment } = joined
  // It looks at the lake by itself.
  const wake = quietWake()
  const partitions = Array.from({ length: deployment.log.partitions }, (_, partition) => partition)
  const answers = await startServing(settings, { tables, openCells: null, partitions, wake }, host, closing)
  const runs = () => readRuns(tables.runs)
  const reasons = async () => reasonsOf({ serving: answers.status() }).map(hiddenPaths(settings))
  const status = async () => ({ serving: stateOf(answers) })
  const stored = storageUse(tables, settings.price('cost.per_gb_month'), host.clock)
  const asked = {
    answers,
    status: async () => {
      const records = await runs()
      const [last] = records
      const ofRun = records.filter(({ run }) => run === last?.run)
      const layers = layersElsewhere(answers.status().seen, settings.durationMs('speed.tick'))
      return {
        time: iso(host.clock.nowMs()),
        ...layers,
        log: { ...layers.log, ...deployment.log },
        batch: {
          ...layers.batch,
          last: last === undefined ? null : presentRun(last),
          last_views: ofRun.map(presentRun),
          ...amountsOf(ofRun),
        },
        stored: (await stored()) ?? [],
        ...(await status()),
      }
    },
    ready: async () => {
      const why = await reasons()
      return { ready: why.length === 0, reasons: why }
    },
    runs,
    runStarter: runsElsewhere(runs),
    sql: await servedQueries(settings, tables, bucketReads(settings, joined, host.logLine), host, closing),
  }
  const http = await startPages(settings, gate, asked, host, closing)
  return { greeting: [['pages and API', http.url]], status, reasons }
}

function stateOf(answers: AnswersServer): object {
  const { versions, seen: _, ...index } = answers.status()
  return { ...index, views: Object.keys(versions).map((name) => servedView(answers, name)) }
}

/** Runs are those of batch processes, which a node knows by their records. */
function runsElsewhere(runs: () => ReturnType<typeof readRuns>): RunStarter {
  return {
    start() {
      throw new TidemarkError('E_RUN_ELSEWHERE', 'this node serves answers; the batch process starts runs')
    },
    find: async (id) => endedRun((await runs()).filter(({ run }) => run === id)),
    cancel: () => false,
  }
}
