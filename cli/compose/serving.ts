import { join } from 'node:path'
import { openAudit } from '../../lake/audit.ts'
import type { LakeTables } from '../../lake/tables/deployment.ts'
import type { OpenCells, Wake } from '../../schemas/ports/layers.ts'
import { type AnswersServer, startAnswers } from '../../serving/answer.ts'
import type { HttpDeps } from '../../serving/http/app.ts'
import { startHttp } from '../../serving/http/server.ts'
import { type CertificatePair, certificateOf } from '../access/certificate.ts'
import { watchCertificate } from '../access/certificate-watch.ts'
import type { Tokens } from '../access/tokens.ts'
import { pause } from '../host/clock.ts'
import { indexThread } from '../host/index-thread.ts'
import type { Settings } from '../settings/settings.ts'
import { VERSION } from '../version.ts'
import type { Closing } from './closing.ts'
import { hiddenPaths } from './hidden-paths.ts'
import type { Host } from './host.ts'
import { isPaid, lakeStore } from './lake-store.ts'

/**
 * How often a lake whose owner pays for each look is looked at: by a process that commits itself, and by one that knows of the
 * newest messages by the ticks alone. Answers of that hold what is older than a tick and 5 s, of which this is the larger part.
 */
const PAID_POLL_MS = { withSpeed: 15_000, alone: 3_000 }

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
  const pollMs = lake.openCells === null ? PAID_POLL_MS.alone : PAID_POLL_MS.withSpeed
  const answers = await startAnswers(
    {
      tickMs: settings.durationMs('speed.tick'),
      indexPath: join(settings.dataDir(), 'index.db'),
      indexDays: settings.integer('serving.index_days'),
      partitions,
      ...(isPaid(settings) && { pollMs }),
    },
    { ...lake, loader: indexThread(), disk, clock, pause, logLine },
  )
  closing.add('serving', () => answers.close())
  return answers
}

/** The API and the pages, listening. */
export interface Pages {
  readonly url: string
  /** What it began with; null where it speaks no TLS. */
  readonly certificate: CertificatePair | null
  onRenewal(fn: (renewed: CertificatePair) => void): void
}

/** Starts the API and the pages. Throws `E_LISTEN`, `E_CERTIFICATE`. */
export async function startPages(
  settings: Settings,
  gate: Tokens,
  asked: Pick<
    HttpDeps,
    'answers' | 'status' | 'ready' | 'runs' | 'runStarter' | 'senders' | 'erasures' | 'sql'
  >,
  { disk, clock, random, logLine }: Host,
  closing: Closing,
): Promise<Pages> {
  const certificate = await certificateOf('serving', settings, disk)
  const config = { ...settings.address('serving.listen'), tls: certificate }
  const http = await startHttp(config, {
    ...asked,
    clock,
    random,
    pause,
    access: gate.access,
    hosts: [settings.address('serving.listen').host.toLowerCase(), ...settings.hosts('serving.hosts')],
    requestsMax: settings.integer('serving.requests_max'),
    audit: openAudit({ store: lakeStore(settings, { disk, clock, random }).store, clock, random }),
    cors: settings.origins('serving.cors'),
    version: VERSION,
    hidePaths: hiddenPaths(settings),
    logLine,
  })
  closing.add('http', () => http.close())
  const listeners: ((renewed: CertificatePair) => void)[] = []
  if (certificate !== null) {
    const watch = watchCertificate('serving', certificate, () => certificateOf('serving', settings, disk), {
      clock,
      logLine,
      renewed(pair) {
        http.renew(pair)
        for (const fn of listeners) fn(pair)
      },
    })
    closing.add('certificate', () => watch.close())
  }
  return { url: http.url, certificate, onRenewal: (fn) => void listeners.push(fn) }
}
