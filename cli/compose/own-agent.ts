import { hostname } from 'node:os'
import { type Agent, startAgent } from '../../agent/agent.ts'
import { hostGauges } from '../../agent/gauges/host-gauges.ts'
import { TidemarkError } from '../../schemas/errors.ts'
import type { Net } from '../../schemas/ports/net.ts'
import type { CertificatePair } from '../access/certificate.ts'
import { nodeMachine } from '../host/machine.ts'
import { type NodeNet, nodeNet } from '../host/net.ts'
import type { ConnectTls } from '../host/tls.ts'
import { parseScope } from '../settings/scope.ts'
import type { Settings } from '../settings/settings.ts'
import type { Address } from '../settings/values.ts'
import { VERSION } from '../version.ts'
import type { Host } from './host.ts'

/** Starts the agent of this host beside a collector of the same process. Throws `E_CONFIG`. */
export async function startOwnAgent(
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

/** What its own agent connects with: it knows the certificate itself, whatever names and dates stand in it. */
export function ownNet(certificate: CertificatePair | null): NodeNet {
  return nodeNet(certificate === null ? {} : { connectTls: exactly(certificate) })
}

export const exactly = ({ cert }: CertificatePair): ConnectTls => ({ trust: 'certificate', cert })
