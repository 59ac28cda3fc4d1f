import { DAY_MS } from '../../../schemas/time.ts'
import 'reflect-metadata'
import { webcrypto } from 'node:crypto'
import * as x509 from '@peculiar/x509'

x509.cryptoProvider.set(webcrypto as never)

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }

/** A certificate and its key in PEM. */
export interface Pair {
  readonly cert: Buffer
  readonly key: Buffer
}

/** A CA made for one test. */
export interface TestCa {
  readonly cert: Buffer
  /** A certificate for these host names and addresses; `endsMs` from now, by default a day. */
  issue(names: { dns?: string[]; ip?: string[] }, endsMs?: number): Promise<Pair>
}

export async function makeCa(): Promise<TestCa> {
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])
  const ca = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: '01',
    name: 'CN=Test CA',
    ...validFor(DAY_MS),
    keys,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
    ],
  })
  let issued = 1
  return {
    cert: Buffer.from(ca.toString('pem')),
    async issue({ dns = [], ip = [] }, endsMs = DAY_MS) {
      const own = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])
      const names = [
        ...dns.map((value) => ({ type: 'dns' as const, value })),
        ...ip.map((value) => ({ type: 'ip' as const, value })),
      ]
      const cert = await x509.X509CertificateGenerator.create({
        serialNumber: (++issued).toString(16).padStart(2, '0'),
        subject: 'CN=collector',
        issuer: ca.subject,
        ...validFor(endsMs),
        publicKey: own.publicKey,
        signingKey: keys.privateKey,
        signingAlgorithm: ALGORITHM,
        extensions: [new x509.SubjectAlternativeNameExtension(names)],
      })
      const key = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', own.privateKey))
      return {
        cert: Buffer.from(cert.toString('pem')),
        key: Buffer.from(x509.PemConverter.encode(key, 'PRIVATE KEY')),
      }
    },
  }
}

function validFor(endsMs: number): { notBefore: Date; notAfter: Date } {
  const now = Date.now()
  return { notBefore: new Date(now - 2 * DAY_MS), notAfter: new Date(now + endsMs) }
}
