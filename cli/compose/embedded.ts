import { TidemarkError } from '../../schemas/errors.ts'
import { type CertificatePair, certificateOf, leafOf } from '../access/certificate.ts'
import { openGate } from '../access/gate.ts'
import { startIngestThread } from '../host/ingest-thread.ts'
import { roomOf } from '../host/room.ts'
import { builtInDefinitions } from '../settings/definitions.ts'
import type { Settings } from '../settings/settings.ts'
import { formatAddress } from '../settings/values.ts'
import { type Addresses, removeAddresses } from './addresses.ts'
import { Announced } from './announced.ts'
import { bucketReads } from './bucket-reads.ts'
import type { Closing } from './closing.ts'
import { collectorConfig, renewCollector } from './collecting.ts'
import { openData } from './data-directory.ts'
import { diskUse } from './disk-use.ts'
import { startErasing } from './erasures.ts'
import { startExpiring } from './expiring.ts'
import { hiddenPaths } from './hidden-paths.ts'
import type { OwnerHost } from './host.ts'
import { knownNames } from './known-names.ts'
import { LogTimes } from './log-times.ts'
import { exactly, ownNet, startOwnAgent } from './own-agent.ts'
import { servedQueries } from './queries.ts'
import { startPages, startServing } from './serving.ts'
import { type Embedded, readiness, statusOf } from './state.ts'
import { storageUse } from './storage-use.ts'
import { publishUnanswered } from './unpublished.ts'

/** Starts the layers in one process, each after those it needs; what was started is in `closing`, also when it throws. */
export async function startEmbedded(
  settings: Settings,
  host: OwnerHost & { failed(error: Error): void },
  closing: Closing,
): Promise<Addresses> {
  const { disk, clock, logLine } = host
  const data = settings.dataDir()
  const definitions = settings.definitions(await builtInDefinitions())
  const engine = settings.text('batch.engine')
  if (settings.text('speed.engine') === 'spark')
    throw new TidemarkError('E_CONFIG', 'speed.engine = spark needs log.url: Spark reads no journal', {
      field: 'speed.engine',
    })
  const certificate = await certificateOf('collector', settings, disk)
  const gate = await openGate(settings, host, closing)
  const ingest = startIngestThread({ logLine, failed: host.failed })
  closing.add('ingest thread', () => ingest.close())
  const openLog = ingest.openJournal
  const options = { settings, definitions, command: 'up', engine, scheduled: true, openLog }
  const opened = await openData(options, host, closing)
  await removeAddresses(disk, data)

  const { tables, speed, batch, wake } = opened
  const openCells = speed
  const answers = await startServing(settings, { tables, openCells, wake }, host, closing)
  const collector = await ingest.startCollector(
    collectorConfig(settings, definitions, certificate),
    gate.access,
    () => knownNames(answers, { speed, journal: opened.journal, clock }),
  )
  closing.add('collector', () => collector.close())

  const net = ownNet(certificate)
  renewCollector(settings, certificate, host, closing, (renewed) => {
    collector.renew(renewed)
    net.trust(exactly(renewed))
  })
  const reach = { net, token: async () => gate.own }
  const agent = settings.boolean('agent.enabled')
    ? await startOwnAgent(settings, collector, reach, host)
    : null
  if (agent !== null) closing.add('agent', () => agent.close())

  const { forgetRejects } = collector
  const erasures = startErasing(settings, opened, { forgetRejects, removesIndex: false }, host, closing)

  startExpiring(settings, opened, host, closing)

  const announced = new Announced(data, host)
  const hidePaths = hiddenPaths(settings)
  const times = new LogTimes(opened.journal, opened.journal.partitions()[0]!, clock)
  closing.add('times of the log', async () => times.close())
  const use = diskUse(data, { disk, clock, room: roomOf })
  const stored = storageUse(tables, settings.price('cost.per_gb_month'), clock)
  const layers: Embedded = { ...opened, answers, collector, agent, announced, times, use, stored }
  const asked = {
    answers,
    status: () => statusOf(layers, clock),
    ready: () => readiness(layers, hidePaths),
    runs: () => batch.runs(),
    runStarter: batch,
    senders: collector,
    erasures,
    sql: await servedQueries(settings, tables, bucketReads(settings, opened, host.logLine), host, closing),
  }
  const http = await startPages(settings, gate, asked, host, closing)
  const addressesWith = (certificate: CertificatePair | null): Addresses => ({
    collector: formatAddress(collector),
    serving: http.url,
    ...(certificate && { serving_certificate: leafOf(certificate) }),
  })
  http.onRenewal((renewed) => void announced.write(addressesWith(renewed), gate.own))

  const addresses = addressesWith(http.certificate)
  closing.add('addresses', () => announced.close())
  await announced.write(addresses, gate.own)
  publishUnanswered(answers, batch, logLine)
  // Like an import, what was left behind counts when the run that its coming starts publishes.
  const isRunDue = opened.leftBehind > 0 || opened.madeAnew.length > 0
  if (isRunDue && batch.status().active === null) void batch.start({ full: false }).ended
  return addresses
}
