import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { makeCa } from '../../cli/host/certificates.ts'
import type { Login } from './brokers.ts'

/** Who is let in by brokers that ask, and in `dir` the broker's key and certificate, and its CA as `ca.pem`. */
export async function makeLogin(dir: string): Promise<Login & { readonly ca: string }> {
  const ca = await makeCa()
  const { cert, key } = await ca.issue({ ip: ['127.0.0.1'], dns: ['localhost'] })
  const keystore = join(dir, 'broker.pem')
  await writeFile(join(dir, 'ca.pem'), ca.cert)
  await writeFile(keystore, Buffer.concat([key, Buffer.from('\n'), cert]))
  return { keystore, user: 'tide', password: 'secret', ca: join(dir, 'ca.pem') }
}
