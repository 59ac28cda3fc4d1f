import { hostname } from 'node:os'
import { join } from 'node:path'
import { type Agent, startAgent } from '../../agent/agent.ts'
import { hostGauges } from '../../agent/gauges/host-gauges.ts'
import { HANDSHAKE_MS_MAX } from '../../collector/ndjson/line-limits.ts'
import { TidemarkError } from '../../schemas/errors.ts'
import type { Net } from '../../schemas/ports/net.ts'
import { startAnswers } from '../../serving/answer.ts'
import { startHttp } from '../../serving/http/server.ts'
import { type CertificatePair, collectorCertificate } from '../access/certificate.ts'
import { openGate } from '../access/gate.ts'
import { indexThread } from '../host/index-thread.ts'
import { startIngestThread } from '../host/ingest-thread.ts'
import { nodeMachine } from '../host/machine.ts'
import { nodeNet } from '../host/net.ts'
import type { ListenTls } from '../host/tls.ts'
import { builtInDefinitions } from '../settings/definitions.ts'
import { parseScope } from '../settings/scope.ts'
import type { Settings } from '../settings/settings.ts'
import { type Address, formatAddress } from '../settings/values.ts'
import { VERSION } from '../version.ts'
import { type Addresses, removeAddresses } from './addresses.ts'
import { Announced } from './announced.ts'
import type { Closing } from './closing.ts'
import { openData } from './data-directory.ts'
import { hiddenPaths } from './hidden-paths.ts'
import type { Host, OwnerHost } from './host.ts'
import { type Embedded, readiness, statusOf } from './state.ts'

/** Starts the layers in one process, each after those it needs; what was started is in `closing`, also when it throws. */
export async function startEmbedded(
  settings: Settings,
  host: OwnerHost & { failed(error: Error): void },
  closing: Closing,
): Promise<Addresses> {
  const { disk, clock, logLine } = host
  const data = settings.dataDir()
  const definitions = settings.definitions(await builtInDefinitions())
  const tickMs = settings.durationMs('speed.tick')
  const engine = settings.text('batch.engine')
  const certificate = await collectorCertificate(settings, disk)
  const gate = await openGate(settings, host, closing)
  const ingest = startIngestThread({ logLine, failed: host.failed })
  closing.add('ingest thread', () => ingest.close())
  const openLog = ingest.openJournal
  const options = { settings, definitions, command: 'up', engine, scheduled: true, openLog }
  const opened = await openData(options, host, closing)
  await removeAddresses(disk, data)

  const { tables, speed, batch, wake } = opened
  const answers = await startAnswers(
    {
      tickMs,
      indexPath: join(data, 'index.db'),
      indexDays: settings.integer('serving.index_days'),
    },
    { tables, loader: indexThread(), disk, openCells: speed, clock, wake, logLine },
  )
  closing.add('serving', () => answers.close())

  const collector = await ingest.startCollector(
    {
      ...settings.address('collector.listen'),
      blockMessages: settings.integer('collector.block_messages'),
      lingerMs: settings.durationMs('collector.linger'),
      oldestMs: settings.dateMs('collector.oldest'),
      connectionsMax: settings.integer('collector.connections_max'),
      servicesMax: settings.integer('collector.services_max'),
      hostsMax: settings.integer('collector.hosts_max'),
      unsealedBytesMax: settings.bytes('collector.unsealed_max'),
      idleMs: settings.durationMs('collector.idle'),
      rejectsDir: join(data, 'rejects'),
      listenTls: listeningTls(certificate),
      datasets: definitions.datasets,
    },
    gate.access,
  )
  closing.add('collector', () => collector.close())

  const reach = { net: ownNet(certificate), token: async () => gate.own }
  const agent = settings.boolean('agent.enabled')
    ? await startOwnAgent(settings, collector, reach, host)
    : null
  if (agent !== null) closing.add('agent', () => agent.close())

  const announced = new Announced(data, host)
  const hidePaths = hiddenPaths(settings)
  const layers: Embedded = { ...opened, answers, collector, agent, announced }
  const http = await startHttp(settings.address('serving.listen'), {
    answers,
    clock,
    status: () => statusOf(layers, clock),
    ready: () => readiness(layers, hidePaths),
    runs: () => batch.runs(),
    runStarter: batch,
    access: gate.access,
    version: VERSION,
    hidePaths,
    logLine,
  })
  closing.add('http', () => http.close())

  const addresses = { collector: formatAddress(collector), serving: http.url }
  closing.add('addresses', () => announced.close())
  await announced.write(addresses, gate.own)
  return addresses
}

async function startOwnAgent(
  settings: Settings,
  collector: Address,
  reach: { net: Net; token(): Promise<string> },
  { clock, random, logLine }: Host,
): Promise<Agent> {
  // A collector that listens everywhere is reached on this machine's own address.
  const host = ['0.0.0.0', '::'].includes(collector.host) ? '127.0.0.1' : collector.host
  const service = settings.text('agent.service')
  if (service === '')
    throw new TidemarkError('E_CONFIG', 'agent.service must not be empty', { field: 'agent.service' })
  const scope = parseScope(settings.text('agent.scope'))
  if (scope === null)
    throw new TidemarkError('E_CONFIG', 'agent.scope must be auto, host or container', {
      field: 'agent.scope',
    })
  const gauges = await hostGauges(scope, { machine: nodeMachine(), clock, logLine })
  return startAgent(
    {
      host,
      port: collector.port,
      service,
      hostName: hostname(),
      intervalMs: settings.durationMs('agent.interval'),
      about: { scope: gauges.scope, version: VERSION },
    },
    { ...reach, clock, random, sample: gauges.sample, logLine },
  )
}

/** What the collector listens with, where it speaks TLS. */
function listeningTls(certificate: CertificatePair | null): ListenTls | null {
  if (certificate === null) return null
  const error = { line: 0, code: 'E_TLS', message: 'this collector speaks TLS alone' }
  const toPlainText = `${JSON.stringify({ error })}\n`
  return { ...certificate, handshakeMs: HANDSHAKE_MS_MAX, toPlainText }
}

/** What its own agent connects with: it knows the certificate itself, whatever names and dates stand in it. */
function ownNet(certificate: CertificatePair | null): Net {
  return nodeNet(certificate === null ? {} : { connectTls: { trust: 'certificate', cert: certificate.cert } })
}
