import { describeError } from '../../schemas/errors.ts'
import type { Clock } from '../../schemas/ports/clock.ts'
import type { CertificatePair } from './certificate.ts'
import { type Watching, watching } from './watching.ts'

/** How often a certificate is looked at. It is renewed days before it ends. */
const LOOK_MS = 60_000

export interface WatchDeps {
  readonly clock: Clock
  logLine(line: string): void
  /** Called with each new certificate. */
  renewed(pair: CertificatePair): void
}

/** Looks whether a layer's certificate was renewed. One that cannot be read, or is half written, leaves the one before. */
export function watchCertificate(
  layer: 'collector' | 'serving',
  first: CertificatePair,
  read: () => Promise<CertificatePair | null>,
  { clock, logLine, renewed }: WatchDeps,
): Watching {
  let current = first
  async function look() {
    const pair = await read()
    if (pair === null || (pair.cert.equals(current.cert) && pair.key.equals(current.key))) return
    renewed(pair)
    current = pair
    logLine(`${layer}: the certificate was renewed`)
  }
  const failed = (error: unknown) =>
    `${layer}: ${describeError(error)}; the certificate from before still counts`
  return watching({ everyMs: LOOK_MS, look, failed }, { clock, logLine })
}
