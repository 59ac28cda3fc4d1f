import { createPrivateKey, X509Certificate } from 'node:crypto'
import { describeError, TidemarkError } from '../../schemas/errors.ts'
import type { Disk } from '../../schemas/ports/disk.ts'
import type { Settings } from '../settings/settings.ts'

/** A certificate and its key, in PEM. */
export interface CertificatePair {
  readonly cert: Buffer
  readonly key: Buffer
}

/** The collector's, null when it has none. Throws `E_CONFIG`, and `E_CERTIFICATE` naming the file that is wrong. */
export async function collectorCertificate(settings: Settings, disk: Disk): Promise<CertificatePair | null> {
  const certFile = settings.file('collector.tls_cert')
  const keyFile = settings.file('collector.tls_key')
  if (certFile === null && keyFile === null) return null
  if (certFile === null || keyFile === null) {
    const [given, missing] =
      keyFile === null
        ? ['collector.tls_cert', 'collector.tls_key']
        : ['collector.tls_key', 'collector.tls_cert']
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
