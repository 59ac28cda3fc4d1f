import { join } from 'node:path'
import { parseStoreUrl } from '../../lake/store/open.ts'
import type { LakeTables } from '../../lake/tables/deployment.ts'
import type { OpenCells, Wake } from '../../schemas/ports/layers.ts'
import { type AnswersServer, startAnswers } from '../../serving/answer.ts'
import type { HttpDeps } from '../../serving/http/app.ts'
import { type HttpServer, startHttp } from '../../serving/http/server.ts'
import type { Tokens } from '../access/tokens.ts'
import { pause } from '../host/clock.ts'
import { indexThread } from '../host/index-thread.ts'
import type { Settings } from '../settings/settings.ts'
import { VERSION } from '../version.ts'
import type { Closing } from './closing.ts'
import { hiddenPaths } from './hidden-paths.ts'
import type { Host } from './host.ts'

/** How often a process that commits itself looks at a lake whose owner pays for each look. */
const PAID_POLL_MS = 15_000

/**
 * Starts what answers questions: the index in the data directory, which follows the lake. `openCells` is null where no speed
 * layer runs in this process.
 */
export async function startServing(
  settings: Settings,
  {
    partitions = [],
    ...lake
  }: {
    readonly tables: LakeTables
    readonly openCells: OpenCells | null
    /** The log's partitions, without open cells. */
    readonly partitions?: readonly number[]
    readonly wake: Wake
  },
  { disk, clock, logLine }: Host,
  closing: Closing,
): Promise<AnswersServer> {
  // Of the commits of this process it is told; only an import by another waits for the next look.
  const isPaid = lake.openCells !== null && 'bucket' in parseStoreUrl(settings.lakeDir())
  const answers = await startAnswers(
    {
      tickMs: settings.durationMs('speed.tick'),
      indexPath: join(settings.dataDir(), 'index.db'),
      indexDays: settings.integer('serving.index_days'),
      partitions,
      ...(isPaid && { pollMs: PAID_POLL_MS }),
    },
    { ...lake, loader: indexThread(), disk, clock, pause, logLine },
  )
  closing.add('serving', () => answers.close())
  return answers
}

/** Starts the API and the pages. Throws `E_LISTEN`. */
export async function startPages(
  settings: Settings,
  gate: Tokens,
  asked: Pick<HttpDeps, 'answers' | 'status' | 'ready' | 'runs' | 'runStarter' | 'sql'>,
  { clock, logLine }: Host,
  closing: Closing,
): Promise<HttpServer> {
  const http = await startHttp(settings.address('serving.listen'), {
    ...asked,
    clock,
    pause,
    access: gate.access,
    hosts: [settings.address('serving.listen').host.toLowerCase(), ...settings.hosts('serving.hosts')],
    version: VERSION,
    hidePaths: hiddenPaths(settings),
    logLine,
  })
  closing.add('http', () => http.close())
  return http
}
