import { createPrivateKey, X509Certificate } from 'node:crypto'
import { describeError, TidemarkError } from '../../schemas/errors.ts'
import type { Disk } from '../../schemas/ports/disk.ts'
import type { Settings } from '../settings/settings.ts'

/** A certificate and its key, in PEM. */
export interface CertificatePair {
  readonly cert: Buffer
  readonly key: Buffer
}

/** That of a listening layer, null when it has none. Throws `E_CONFIG`, and `E_CERTIFICATE` naming the file that is wrong. */
export async function certificateOf(
  layer: 'collector' | 'serving',
  settings: Settings,
  disk: Disk,
): Promise<CertificatePair | null> {
  const [certName, keyName] = [`${layer}.tls_cert`, `${layer}.tls_key`] as const
  const certFile = settings.file(certName)
  const keyFile = settings.file(keyName)
  if (certFile === null && keyFile === null) return null
  if (certFile === null || keyFile === null) {
    const [given, missing] = keyFile === null ? [certName, keyName] : [keyName, certName]
    throw new TidemarkError('E_CONFIG', `${given} needs ${missing}`, { field: missing })
  }
  const cert = await readPem(disk, certFile)
  const key = await readPem(disk, keyFile)
  const certificate = parsed(certFile, 'certificate', () => new X509Certificate(cert))
  const privateKey = parsed(keyFile, 'private key without a passphrase', () => createPrivateKey(key))
  if (!certificate.checkPrivateKey(privateKey))
    throw new TidemarkError('E_CERTIFICATE', `${keyFile} is not the key of ${certFile}`)
  return { cert, key }
}

/** The certificate itself, without those between it and its CA, in PEM. */
export function leafOf({ cert }: CertificatePair): string {
  return new X509Certificate(cert).toString()
}

/** A file of CAs. Throws `E_CERTIFICATE`. */
export async function readCa(disk: Disk, path: string): Promise<Buffer> {
  const pem = await readPem(disk, path)
  parsed(path, 'certificate', () => new X509Certificate(pem))
  return pem
}

async function readPem(disk: Disk, path: string): Promise<Buffer> {
  const bytes = await disk.readFile(path).catch((error) => {
    throw new TidemarkError('E_CERTIFICATE', `cannot read ${describeError(error)}`, { cause: error })
  })
  if (bytes === null) throw new TidemarkError('E_CERTIFICATE', `there is no file ${path}`)
  return Buffer.from(bytes)
}

function parsed<T>(path: string, what: string, parse: () => T): T {
  try {
    return parse()
  } catch (error) {
    const why = describeError(error)
    throw new TidemarkError('E_CERTIFICATE', `${path} holds no ${what} in PEM: ${why}`, { cause: error })
  }
}
