import { join } from 'node:path'
import { type NumberedDeployment, readDeployment } from '../../../lake/deployment-log.ts'
import type { OpenedStore } from '../../../lake/store/opened.ts'
import type { ObjectStore } from '../../../lake/store/port.ts'
import { TidemarkError } from '../../../schemas/errors.ts'
import { openGate } from '../../access/gate.ts'
import { builtInDefinitions } from '../../settings/definitions.ts'
import type { Settings } from '../../settings/settings.ts'
import type { Closing } from '../closing.ts'
import type { Wanted } from '../deployment.ts'
import type { Host } from '../host.ts'
import { isPaid, lakeStore } from '../lake-store.ts'
import { configuredLog, type OpenSharedLog, type SharedLog } from '../log.ts'
import { tablesIn } from '../open-lake.ts'
import { warnOfShortRetention } from '../short-retention.ts'
import { presentRequests } from '../state.ts'
import { startBatchLayer } from './batch.ts'
import { startCollectorLayer } from './collector.ts'
import { type Joined, joinLake, openJoined } from './joined.ts'
import { startLakeWriterLayer } from './lake-writer.ts'
import type { Layer, LayerHost } from './layer.ts'
import { startServeLayer } from './serve.ts'
import { startSparkSpeed } from './spark-speed.ts'
import { startSpeedLayer } from './speed.ts'

/** The layers that run as processes of their own. */
export type LayerName = 'collector' | 'lake-writer' | 'speed' | 'batch' | 'serve'

/**
 * Starts one layer of a deployment. Throws `E_NO_DEPLOYMENT` for a serving node without `log.url` before any other process has
 * started, `E_DEPLOYMENT`, and what the layer and the log throw.
 */
export async function startLayer(
  name: LayerName,
  settings: Settings,
  openLog: OpenSharedLog,
  host: LayerHost,
  closing: Closing,
): Promise<Layer> {
  if (name === 'serve') {
    await lockData(name, settings, host, closing)
    const gate = await openGate(settings, host, closing, ['serving.listen'])
    const opened = await lakeOf(settings, host, { writes: false })
    const deployment = await deploymentOf(opened.store, settings, host)
    const joined = openJoined(opened, deployment, host, closing, { paid: isPaid(settings) })
    return counting(await startServeLayer(settings, { joined, gate }, host, closing), joined)
  }
  if (name === 'batch') return startBatchAlone(settings, openLog, host, closing, { scheduled: true })
  if (name === 'collector') {
    await lockData(name, settings, host, closing)
    const gate = await openGate(settings, host, closing, ['collector.listen'])
    const { store } = await lakeOf(settings, host)
    const { definitions, log } = await joinLake(store, await wantedBy(settings), host)
    const shared = await opened(openLog, log, closing)
    const tables = tablesIn(store, definitions, host)
    return startCollectorLayer(settings, { definitions, tables, shared, gate }, host, closing)
  }
  const isSpark = name === 'speed' && settings.text('speed.engine') === 'spark'
  if (isSpark) await lockData(name, settings, host, closing)
  warnOfShortRetention(settings, host.logLine)
  const at = await openBoth(settings, openLog, host, closing)
  const workers = { speed: isSpark ? startSparkSpeed : startSpeedLayer, 'lake-writer': startLakeWriterLayer }
  const start = workers[name]
  return counting(await start(settings, at, host, closing), at.joined)
}

/** The layer, in whose figures stands what the lake was asked for. */
function counting<T extends Layer>(layer: T, { requests }: Joined): T {
  return {
    ...layer,
    status: async () => ({ ...(await layer.status()), requests: presentRequests(requests()) }),
  }
}

/** Starts the batch layer of a deployment, with its schedule or only for runs that are asked for. */
export async function startBatchAlone(
  settings: Settings,
  openLog: OpenSharedLog,
  host: LayerHost,
  closing: Closing,
  { scheduled, engine = settings.text('batch.engine') }: { scheduled: boolean; engine?: string },
): ReturnType<typeof startBatchLayer> {
  await lockData(scheduled ? 'batch' : 'batch-once', settings, host, closing)
  warnOfShortRetention(settings, host.logLine)
  const at = await openBoth(settings, openLog, host, closing)
  return counting(await startBatchLayer(settings, { ...at, engine, scheduled }, host, closing), at.joined)
}

/** What a process is configured with. */
export async function wantedBy(settings: Settings): Promise<Wanted> {
  const builtIn = await builtInDefinitions()
  const { topic, partitions } = configuredLog(settings)
  return { log: { topic, partitions }, builtIn, definitions: settings.definitions(builtIn) }
}

/** The lake of a deployment. Nothing of it is cleaned up: other processes may be writing. */
export async function lakeOf(settings: Settings, host: Host, { writes = true } = {}): Promise<OpenedStore> {
  const opened = lakeStore(settings, host)
  if (writes) await opened.probe()
  return opened
}

/** The lake and the log of a deployment. */
export async function openBoth(
  settings: Settings,
  openLog: OpenSharedLog,
  host: LayerHost,
  closing: Closing,
  { probes = true } = {},
) {
  const lake = await lakeOf(settings, host, { writes: probes })
  const deployment = await joinLake(lake.store, await wantedBy(settings), host)
  const shared = await opened(openLog, deployment.log, closing)
  return { joined: openJoined(lake, deployment, host, closing, { paid: isPaid(settings) }), shared }
}

async function opened(
  openLog: OpenSharedLog,
  log: NumberedDeployment['log'],
  closing: Closing,
): Promise<SharedLog> {
  const shared = await openLog(log)
  closing.add('log', () => shared.log.close())
  return shared
}

/** A node that is not told of the log waits for another process to begin the deployment. */
async function deploymentOf(store: ObjectStore, settings: Settings, host: Host): Promise<NumberedDeployment> {
  if (settings.text('log.url') !== '') return joinLake(store, await wantedBy(settings), host)
  const found = await readDeployment(store)
  if (found !== null) return found
  throw new TidemarkError('E_NO_DEPLOYMENT', 'no other process has written to the lake yet')
}

/** Keeps a second process of the layer out of the data directory. Throws `E_LOCKED`. */
async function lockData(name: string, settings: Settings, { disk }: Host, closing: Closing): Promise<void> {
  const dir = settings.dataDir()
  await disk.makeDir(dir)
  const lock = await disk.lock(join(dir, `${name}.lock`), `tidemark ${name}, process ${process.pid}`)
  closing.add('lock', () => lock.release())
}
