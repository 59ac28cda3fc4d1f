import { startCollector } from '../../../collector/collector.ts'
import { NAME_KEPT_HOURS } from '../../../collector/intake/limits.ts'
import type { LakeTables } from '../../../lake/tables/deployment.ts'
import { namesInLog } from '../../../lake/tables/names-in-log.ts'
import { recentNames } from '../../../lake/tables/recent-names.ts'
import type { Definitions } from '../../../schemas/definitions.ts'
import { HOUR_MS } from '../../../schemas/time.ts'
import { certificateOf } from '../../access/certificate.ts'
import type { Tokens } from '../../access/tokens.ts'
import { nodeNet } from '../../host/net.ts'
import type { Settings } from '../../settings/settings.ts'
import { formatAddress } from '../../settings/values.ts'
import type { Closing } from '../closing.ts'
import { collectorConfig, renewCollector } from '../collecting.ts'
import type { SharedLog } from '../log.ts'
import { type Layer, type LayerHost, reasonsOf } from './layer.ts'

export interface CollectorOf {
  readonly definitions: Definitions
  readonly tables: LakeTables
  readonly shared: SharedLog
  readonly gate: Tokens
}

/** Starts a collector that appends to the log of a deployment. Throws what `startCollector` throws. */
export async function startCollectorLayer(
  settings: Settings,
  { definitions, tables, shared, gate }: CollectorOf,
  host: LayerHost,
  closing: Closing,
): Promise<Layer> {
  const certificate = await certificateOf('collector', settings, host.disk)
  const { datasets, rejectsDir, listenTls, ...config } = collectorConfig(settings, definitions, certificate)
  const { access } = gate
  const net = nodeNet(listenTls === null ? {} : { listenTls })
  const sinceMs = host.clock.nowMs() - NAME_KEPT_HOURS * HOUR_MS
  // The log first: what a tick has told meanwhile is in the lake then.
  const knownNames = async () => [
    ...(await namesInLog(shared.log, tables)),
    ...(await recentNames(tables, sinceMs)),
  ]
  const deps = { ...host, ...shared, datasets, net, rejectsDir, access, knownNames }
  const collector = await startCollector(config, deps)
  closing.add('collector', () => collector.close())
  renewCollector(settings, certificate, host, closing, (renewed) => net.renew(renewed))
  return {
    greeting: [['agents connect', formatAddress(collector)]],
    status: async () => ({ collector: collector.status(), log: shared.log.state() }),
    reasons: async () => {
      const log = shared.log.state()
      return reasonsOf({ log, ...(log.state === 'ok' && { collector: collector.status() }) })
    },
  }
}
