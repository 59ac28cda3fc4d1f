import { describeError } from '../../schemas/errors.ts'
import type { Clock } from '../../schemas/ports/clock.ts'
import type { CertificatePair } from './certificate.ts'

/** How often a certificate is looked at. It is renewed days before it ends. */
const LOOK_MS = 60_000

export interface WatchDeps {
  readonly clock: Clock
  logLine(line: string): void
  /** Told of a certificate that took the place of the one before. */
  renewed(pair: CertificatePair): void
}

/** Looks again and again whether a certificate was renewed. One that cannot be read, or is half written, leaves the one before. */
export function watchCertificate(
  first: CertificatePair,
  read: () => Promise<CertificatePair | null>,
  { clock, logLine, renewed }: WatchDeps,
): { close(): Promise<void> } {
  let current = first
  let trouble = ''
  let closed = false
  let looking: Promise<void> = Promise.resolve()
  let cancel = clock.after(LOOK_MS, look)

  function look() {
    looking = lookOnce()
      .then(() => {
        trouble = ''
      })
      .catch((error) => say(`${describeError(error)}; the certificate from before still counts`))
      .then(() => {
        if (!closed) cancel = clock.after(LOOK_MS, look)
      })
  }

  async function lookOnce() {
    const pair = await read()
    if (pair === null || (pair.cert.equals(current.cert) && pair.key.equals(current.key))) return
    renewed(pair)
    current = pair
    logLine('the certificate was renewed')
  }

  function say(what: string) {
    if (what !== trouble) logLine(what)
    trouble = what
  }

  return {
    async close() {
      closed = true
      cancel()
      await looking
    },
  }
}
