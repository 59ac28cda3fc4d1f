import { parentPort } from 'node:worker_threads'
import { type Collector, type CollectorConfig, startCollector } from '../../collector/collector.ts'
import { type JournalConfig, openJournal } from '../../log/journal/journal.ts'
import { serveLog } from '../../log/remote/serve.ts'
import type { AgentState } from '../../log/senders.ts'
import { Calls } from '../../schemas/calls.ts'
import type { Dataset } from '../../schemas/dataset.ts'
import type { Position } from '../../schemas/position.ts'
import type { TokenRecord } from '../../schemas/token.ts'
import { type AccessRule, TokenAccess } from '../access/access.ts'
import type { CertificatePair } from '../access/certificate.ts'
import { nodeClock } from './clock.ts'
import { nodeDisk } from './disk.ts'
import { type NodeNet, nodeNet } from './net.ts'
import { portChannel } from './port-channel.ts'
import { nodeRandom } from './random.ts'
import type { ListenTls } from './tls.ts'

/** What the collector of the thread is started with. */
export interface ThreadCollectorConfig extends CollectorConfig {
  readonly datasets: readonly Dataset[]
  readonly rejectsDir: string
  readonly listenTls: ListenTls | null
}

export interface ThreadCollectorStart {
  readonly config: ThreadCollectorConfig
  /** Who gets in; the tokens change while it runs. */
  readonly rule: AccessRule
  readonly tokens: readonly TokenRecord[]
}

/** The body of the thread that receives, checks, makes durable and acknowledges: collector and journal (ingest-thread.ts). */
const calls = new Calls(portChannel(parentPort!))
const deps = {
  disk: nodeDisk(),
  clock: nodeClock(),
  random: nodeRandom(),
  logLine: (line: string) => calls.tell('log line', line),
}
let log: Awaited<ReturnType<typeof openJournal>>
let collector: Collector
let net: NodeNet

calls.on('open journal', async (config: JournalConfig) => {
  const agentsInLake = () => calls.call<ReadonlyMap<string, AgentState>>('agents in lake')
  const fenceLake = () => calls.call<Position>('fence lake')
  log = await openJournal({ ...config, fenceLake, agentsInLake }, deps)
  return serveLog(log, calls)
})
calls.on('start collector', async ({ config, rule, tokens }: ThreadCollectorStart) => {
  const { datasets, rejectsDir, listenTls, ...settings } = config
  const access = new TokenAccess(rule, tokens)
  calls.on('tokens', (records: readonly TokenRecord[]) => access.replace(records))
  net = nodeNet(listenTls === null ? {} : { listenTls })
  collector = await startCollector(settings, {
    ...deps,
    log,
    senders: log.senders,
    datasets,
    net,
    rejectsDir,
    access,
    knownNames: () => calls.call('known names'),
  })
  return { host: collector.host, port: collector.port }
})
calls.on('renew', (pair: CertificatePair) => net.renew(pair))
calls.on('collector status', () => collector.status())
calls.on('agents', () => collector.agents())
calls.on('refusals', () => collector.refusals())
calls.on('forget rejects', (words: readonly string[]) => collector.forgetRejects(words))
calls.on('close collector', () => collector.close())
