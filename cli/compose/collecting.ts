import { join } from 'node:path'
import { HANDSHAKE_MS_MAX } from '../../collector/ndjson/line-limits.ts'
import type { Definitions } from '../../schemas/definitions.ts'
import { type CertificatePair, certificateOf } from '../access/certificate.ts'
import { watchCertificate } from '../access/certificate-watch.ts'
import type { ThreadCollectorConfig } from '../host/ingest-worker.ts'
import type { ListenTls } from '../host/tls.ts'
import type { Settings } from '../settings/settings.ts'
import type { Closing } from './closing.ts'
import type { Host } from './host.ts'

/** What a collector is started with, wherever it runs. */
export function collectorConfig(
  settings: Settings,
  definitions: Definitions,
  certificate: CertificatePair | null,
): ThreadCollectorConfig {
  return {
    ...settings.address('collector.listen'),
    blockMessages: settings.integer('collector.block_messages'),
    lingerMs: settings.durationMs('collector.linger'),
    oldestMs: settings.dateMs('collector.oldest'),
    connectionsMax: settings.integer('collector.connections_max'),
    servicesMax: settings.integer('collector.services_max'),
    hostsMax: settings.integer('collector.hosts_max'),
    unsealedBytesMax: settings.bytes('collector.unsealed_max'),
    idleMs: settings.durationMs('collector.idle'),
    rejectsDir: join(settings.dataDir(), 'rejects'),
    listenTls: listeningTls(certificate),
    datasets: definitions.datasets,
  }
}

/** Follows the collector's certificate, where it has one: `renew` is called with each new one. */
export function renewCollector(
  settings: Settings,
  certificate: CertificatePair | null,
  { disk, clock, logLine }: Pick<Host, 'disk' | 'clock' | 'logLine'>,
  closing: Closing,
  renewed: (pair: CertificatePair) => void,
): void {
  if (certificate === null) return
  const read = () => certificateOf('collector', settings, disk)
  const watch = watchCertificate('collector', certificate, read, { clock, logLine, renewed })
  closing.add("the collector's certificate", () => watch.close())
}

/** What the collector listens with, where it speaks TLS. */
function listeningTls(certificate: CertificatePair | null): ListenTls | null {
  if (certificate === null) return null
  const error = { line: 0, code: 'E_TLS', message: 'this collector speaks TLS alone' }
  const toPlainText = `${JSON.stringify({ error })}\n`
  return { ...certificate, handshakeMs: HANDSHAKE_MS_MAX, toPlainText }
}
