import { startCollector } from '../../../collector/collector.ts'
import type { Definitions } from '../../../schemas/definitions.ts'
import { certificateOf } from '../../access/certificate.ts'
import type { Tokens } from '../../access/tokens.ts'
import { nodeNet } from '../../host/net.ts'
import type { Settings } from '../../settings/settings.ts'
import { formatAddress } from '../../settings/values.ts'
import type { Closing } from '../closing.ts'
import { collectorConfig, renewCollector } from '../collecting.ts'
import type { SharedLog } from '../log.ts'
import { type Layer, type LayerHost, reasonsOf } from './layer.ts'

/** Starts a collector that appends to the log of a deployment. Throws what `startCollector` throws. */
export async function startCollectorLayer(
  settings: Settings,
  { definitions, shared, gate }: { definitions: Definitions; shared: SharedLog; gate: Tokens },
  host: LayerHost,
  closing: Closing,
): Promise<Layer> {
  const certificate = await certificateOf('collector', settings, host.disk)
  const { datasets, rejectsDir, listenTls, ...config } = collectorConfig(settings, definitions, certificate)
  const { access } = gate
  const net = nodeNet(listenTls === null ? {} : { listenTls })
  const collector = await startCollector(config, { ...host, ...shared, datasets, net, rejectsDir, access })
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
