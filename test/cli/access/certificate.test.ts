import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { certificateOf } from '../../../cli/access/certificate.ts'
import { nodeDisk } from '../../../cli/host/disk.ts'
import { resolveSettings } from '../../../cli/settings/settings.ts'
import { makeCa } from '../host/certificates.ts'

test('certificate and key are a pair, and what is wrong is named by its file', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'tidemark-certificate-'))
  const ca = await makeCa()
  const [one, other] = [await ca.issue({ dns: ['one'] }), await ca.issue({ dns: ['other'] })]
  await writeFile(join(dir, 'one.pem'), one.cert)
  await writeFile(join(dir, 'one.key'), one.key)
  await writeFile(join(dir, 'other.key'), other.key)
  await writeFile(join(dir, 'empty'), '')
  const read = (cert: string, key: string) => {
    const flags = { 'collector-tls-cert': cert, 'collector-tls-key': key }
    return certificateOf('collector', resolveSettings({ flags, env: {}, file: null, cwd: dir }), nodeDisk())
  }
  try {
    expect(await read('', '')).toBeNull()
    expect(await read('one.pem', 'one.key')).toEqual(one)
    const cases: [string, string, RegExp][] = [
      ['one.pem', '', /^collector\.tls_cert needs collector\.tls_key$/],
      ['', 'one.key', /^collector\.tls_key needs collector\.tls_cert$/],
      ['one.pem', 'other.key', /other\.key is not the key of .*one\.pem$/],
      ['gone.pem', 'one.key', /^there is no file .*gone\.pem$/],
      ['one.key', 'one.key', /one\.key holds no certificate in PEM/],
      ['one.pem', 'empty', /empty holds no private key/],
      ['.', 'one.key', /cannot read/],
    ]
    for (const [cert, key, message] of cases) await expect(read(cert, key)).rejects.toThrow(message)
  } finally {
    await rm(dir, { recursive: true })
  }
})
