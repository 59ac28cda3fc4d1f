import { expect, test } from 'vitest'
import { makeCa } from '../../cli/host/certificates.ts'
import { apiRig } from './rig.ts'

test('every answer says what a browser may do with it: pages, data, files, errors', async () => {
  await using rig = await apiRig()
  for (const url of [
    '/',
    '/analysis',
    '/v1/services',
    '/assets/style.css',
    '/openapi.json',
    '/healthz',
    '/nowhere',
    '/%ff',
    '/v1/services?a=b',
  ]) {
    const { headers } = await rig.app.inject({ url })
    const policy = String(headers['content-security-policy'])
    expect([url, policy]).toEqual([url, expect.stringMatching(/default-src 'none'.*frame-ancestors 'none'/)])
    expect(policy).not.toMatch(/unsafe|https?:|\*/)
    expect([url, headers['x-content-type-options'], headers['referrer-policy']]).toEqual([
      url,
      'nosniff',
      'same-origin',
    ])
    expect(headers['strict-transport-security']).toBeUndefined()
  }
})

test('no page holds a script or a style that would run', async () => {
  await using rig = await apiRig()
  for (const url of ['/', '/analysis?from=2026-11-22&to=2026-11-22', '/analysis?from=x', '/sign-in']) {
    const { body } = await rig.app.inject({ url })
    const scripts = [...body.matchAll(/<script\b([^>]*)>/g)].map(([, attributes]) => attributes!)
    for (const attributes of scripts) expect(attributes).toMatch(/src="\/assets\/|type="application\/json"/)
    expect(body).not.toMatch(/<style|\sstyle=|\son[a-z]+=|javascript:/)
  }
})

test('a name asked by TLS at the usual port is kept to TLS; an address or another port is not', async () => {
  const tls = await (await makeCa()).issue({ dns: ['metrics.example.org'] })
  await using rig = await apiRig({ tls, hosts: ['metrics.example.org'] })
  await rig.app.listen({ host: '127.0.0.1', port: 0 })
  const { request } = await import('node:https')
  const { port } = rig.app.server.address() as { port: number }
  const hsts = (host: string) =>
    new Promise((resolve, reject) => {
      const asked = request(
        { port, host: '127.0.0.1', headers: { host }, rejectUnauthorized: false },
        (answer) => {
          answer.resume()
          resolve(answer.headers['strict-transport-security'])
        },
      )
      asked.on('error', reject).end()
    })
  expect(await hsts('metrics.example.org')).toBe('max-age=2592000')
  expect(await hsts('metrics.example.org:443')).toBe('max-age=2592000')
  for (const host of ['metrics.example.org:8080', '127.0.0.1', 'localhost', '[::1]', `127.0.0.1:${port}`])
    expect([host, await hsts(host)]).toEqual([host, undefined])
})
