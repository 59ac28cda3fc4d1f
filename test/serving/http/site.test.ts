import { expect, test } from 'vitest'
import { isOwnHost } from '../../../serving/http/site.ts'
import { TestAccess } from '../../sim/access.ts'
import { apiRig } from './rig.ts'

const names = ['metrics.example.org']

test.for([
  ['localhost', true],
  ['LOCALHOST:8080', true],
  ['localhost.:8080', true],
  ['tidemark.localhost:8080', true],
  ['127.0.0.1', true],
  ['127.8.9.10:1', true],
  ['[::1]:8080', true],
  ['192.168.1.7:8080', true],
  ['[fe80::1]', true],
  ['metrics.example.org', true],
  ['Metrics.Example.Org.:443', true],
  [undefined, true],
  ['', false],
  ['evil.example', false],
  ['evil.example:8080', false],
  ['127.0.0.1.evil.example', false],
  ['localhost.evil.example', false],
  ['evillocalhost', false],
  ['sub.metrics.example.org', false],
  ['localhost@evil.example', false],
  ['localhost:8080:80', false],
  ['[::1', false],
  ['[1:2]', false],
  ['[]', false],
  ['127.1', false],
  ['0x7f000001', false],
] as const)('Host %s is its own: %s', ([host, isOwn]) => {
  expect(isOwnHost(host, names)).toBe(isOwn)
})

test('a name that leads here reads nothing and starts nothing, and is told the setting', async () => {
  await using rig = await apiRig()
  const headers = { host: 'evil.example:8080' }
  for (const url of [
    '/',
    '/analysis',
    '/v1/services',
    '/v1/status',
    '/openapi.json',
    '/assets/style.css',
    '/no',
  ]) {
    const answer = await rig.app.inject({ url, headers })
    expect([url, answer.statusCode, answer.json().code]).toEqual([url, 421, 'E_MISDIRECTED'])
    expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/)
    expect(answer.json().detail).toContain('serving.hosts')
  }
  const started = await rig.app.inject({ method: 'POST', url: '/v1/runs', headers })
  expect(started.statusCode).toBe(421)
  expect((await rig.app.inject({ url: '/healthz', headers })).statusCode).toBe(200)
})

test('a name that is listed reads, and so does any with a token', async () => {
  const access = new TestAccess({ looks: 'viewer' })
  access.needed = false
  await using rig = await apiRig({ access, hosts: ['metrics.example.org'] })
  const status = async (headers: object) =>
    (await rig.app.inject({ url: '/v1/services', headers: { ...headers } })).statusCode
  expect(await status({ host: 'metrics.example.org:8080' })).toBe(200)
  expect(await status({ host: 'other.example.org' })).toBe(421)
  expect(await status({ host: 'other.example.org', authorization: 'Bearer looks' })).toBe(200)
  expect(await status({ host: 'other.example.org', authorization: 'Bearer guessed' })).toBe(421)
})

const CROSS = [
  { 'sec-fetch-site': 'cross-site' },
  { 'sec-fetch-site': 'same-site' },
  { 'sec-fetch-site': 'cross-site', origin: 'http://localhost:80' },
  { origin: 'https://evil.example' },
  { origin: 'http://localhost:3000' },
  { origin: 'null' },
  { origin: '' },
]
const OWN = [
  {},
  { 'sec-fetch-site': 'same-origin', origin: 'http://localhost' },
  { 'sec-fetch-site': 'none' },
  { origin: 'http://localhost:8080', host: 'localhost:8080' },
  { origin: 'https://localhost', host: 'localhost' },
  { origin: 'http://[::1]:8080', host: '[::1]:8080' },
]

test('a page of another site starts and stops nothing where nobody needs a token', async () => {
  await using rig = await apiRig()
  for (const headers of CROSS)
    for (const [method, url] of [
      ['POST', '/v1/runs'],
      ['DELETE', '/v1/runs/none'],
      ['POST', '/nowhere'],
    ] as const) {
      const answer = await rig.app.inject({ method, url, headers: { ...headers } })
      expect([headers, answer.statusCode, answer.json().code]).toEqual([headers, 403, 'E_SITE'])
    }
  expect((await rig.app.inject({ url: '/v1/runs' })).json().runs).toHaveLength(2)
})

test('its own pages, and whatever is no browser, do', async () => {
  await using rig = await apiRig()
  for (const headers of OWN) {
    const answer = await rig.app.inject({ method: 'DELETE', url: '/v1/runs/none', headers: { ...headers } })
    expect([headers, answer.statusCode]).toEqual([headers, 404])
  }
})

test('a bearer token is sent by no page of another site; a password may be', async () => {
  await using rig = await apiRig({ access: new TestAccess({ all: 'admin' }) })
  const cancel = async (authorization: string) => {
    const headers = { authorization, 'sec-fetch-site': 'cross-site' }
    return (await rig.app.inject({ method: 'DELETE', url: '/v1/runs/none', headers })).statusCode
  }
  expect(await cancel('Bearer all')).toBe(404)
  expect(await cancel(`Basic ${Buffer.from('me:all').toString('base64')}`)).toBe(403)
})
