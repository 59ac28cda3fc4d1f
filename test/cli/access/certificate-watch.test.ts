import { expect, test } from 'vitest'
import type { CertificatePair } from '../../../cli/access/certificate.ts'
import { watchCertificate } from '../../../cli/access/certificate-watch.ts'
import { TidemarkError } from '../../../schemas/errors.ts'
import { SimClock } from '../../sim/clock.ts'

const pair = (name: string): CertificatePair => ({ cert: Buffer.from(name), key: Buffer.from(name) })

test('a renewed certificate is taken within a minute; one that is no pair is said once and changes nothing', async () => {
  const clock = new SimClock(0)
  const lines: string[] = []
  const taken: string[] = []
  let now: CertificatePair | Error = pair('old')
  const read = async () => {
    if (now instanceof Error) throw now
    return now
  }
  const deps = { clock, logLine: (line: string) => void lines.push(line) }
  const renewed = ({ cert }: CertificatePair) => void taken.push(String(cert))
  const watch = watchCertificate('collector', pair('old'), read, { ...deps, renewed })
  await clock.advance(300_000)
  expect([taken, lines]).toEqual([[], []])
  now = new TidemarkError('E_CERTIFICATE', 'key.pem is not the key of cert.pem')
  await clock.advance(300_000)
  expect(taken).toEqual([])
  expect(lines).toEqual([
    'collector: key.pem is not the key of cert.pem (E_CERTIFICATE); the certificate from before still counts',
  ])
  now = pair('new')
  await clock.advance(60_000)
  expect(taken).toEqual(['new'])
  await watch.close()
  now = pair('newer')
  await clock.advance(300_000)
  expect(taken).toEqual(['new'])
})
