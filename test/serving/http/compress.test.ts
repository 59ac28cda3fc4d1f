import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { encodingOf } from '../../../serving/http/compress.ts'
import { apiRig } from './rig.ts'

const DECODE: { readonly [encoding: string]: (bytes: Buffer) => Buffer } = {
  zstd: zstdDecompressSync,
  br: brotliDecompressSync,
  gzip: gunzipSync,
}

test('answers of every kind are the same when they are compressed', async () => {
  await using rig = await apiRig()
  const urls = [
    '/openapi.json',
    '/v1/services',
    '/v1/services/checkout/minutes?from=2026-11-22&to=2026-11-23&format=csv',
    '/v1/services/checkout/series?from=2026-11-22&to=2026-11-23',
  ]
  for (const url of urls) {
    const plain = await rig.app.inject({ url })
    expect(plain.headers.vary).toMatch(/Accept-Encoding/)
    for (const encoding of Object.keys(DECODE)) {
      const answer = await rig.app.inject({ url, headers: { 'accept-encoding': encoding } })
      expect([url, answer.headers['content-encoding']]).toEqual([url, encoding])
      expect(DECODE[encoding]!(answer.rawPayload).toString()).toBe(plain.body)
      expect(answer.rawPayload.length).not.toBe(Number(answer.headers['content-length'] ?? 0))
    }
  }
})

test('what is small, already compressed, or has no body stays as it is', async () => {
  await using rig = await apiRig()
  const headers = { 'accept-encoding': 'gzip' }
  const range = 'from=2026-11-22&to=2026-11-23'
  const cases: ['GET' | 'HEAD', string][] = [
    ['GET', '/healthz'],
    ['GET', `/v1/services/checkout/minutes?${range}&format=parquet`],
    ['HEAD', '/openapi.json'],
    ['GET', '/v1/services/nobody/stats'],
  ]
  for (const [method, url] of cases) {
    const answer = await rig.app.inject({ method, url, headers })
    expect([url, answer.headers['content-encoding']]).toEqual([url, undefined])
  }
})

test('the best encoding that the request takes is chosen', () => {
  const cases: [string | undefined, string | null][] = [
    [undefined, null],
    ['', null],
    ['identity', null],
    ['gzip, deflate, br, zstd', 'zstd'],
    ['gzip, deflate, br', 'br'],
    ['gzip;q=1.0, br;q=0.5', 'gzip'],
    ['GZIP ; Q=0.3', 'gzip'],
    ['*', 'zstd'],
    ['*;q=0', null],
    ['zstd;q=0, *;q=0.1', 'br'],
    ['gzip;q=x', null],
  ]
  for (const [accepted, name] of cases)
    expect([accepted, encodingOf(accepted)?.name ?? null]).toEqual([accepted, name])
})
