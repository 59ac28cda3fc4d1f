import { expect, test } from 'vitest'
import { TidemarkError } from '../../../schemas/errors.ts'
import { TestAccess } from '../../sim/access.ts'
import { apiRig } from './rig.ts'

const access = () => new TestAccess({ looks: 'viewer', all: 'admin', sends: 'agent' })
const bearer = (token: string) => ({ authorization: `Bearer ${token}` })
const basic = (user: string, token: string) => ({
  authorization: `Basic ${Buffer.from(`${user}:${token}`).toString('base64')}`,
})

test('without a valid token it is 401, which says how to show one', async () => {
  const wrong = [{}, bearer('guessed'), basic('looks', 'guessed'), { authorization: 'looks' }, bearer('')]
  for (const url of ['/', '/analysis', '/v1/services', '/assets/style.css', '/openapi.json', '/nowhere']) {
    await using rig = await apiRig({ access: access() })
    for (const headers of wrong) {
      const answer = await rig.app.inject({ url, headers })
      expect([url, answer.statusCode, answer.json().code]).toEqual([url, 401, 'E_TOKEN'])
      expect(answer.headers['content-type']).toContain('application/problem+json')
      expect(answer.headers['www-authenticate']).toEqual([
        expect.stringMatching(/^Basic realm=/),
        expect.stringMatching(/^Bearer /),
      ])
      const browser = { ...headers, 'user-agent': 'Mozilla/5.0', 'sec-fetch-mode': 'cors' }
      const told = await rig.app.inject({ url, headers: browser })
      expect(told.headers['www-authenticate']).toEqual([expect.stringMatching(/^Bearer /)])
    }
  }
})

test('a viewer asks, as bearer or with the token as password', async () => {
  await using rig = await apiRig({ access: access() })
  for (const headers of [bearer('looks'), basic('anyone', 'looks'), basic('', 'looks'), bearer('all')]) {
    expect((await rig.app.inject({ url: '/v1/services', headers })).statusCode).toBe(200)
    expect((await rig.app.inject({ url: '/', headers })).statusCode).toBe(200)
  }
})

test('only an admin starts a run, and an agent asks nothing', async () => {
  await using rig = await apiRig({ access: access() })
  const start = (headers: object) =>
    rig.app.inject({ method: 'POST', url: '/v1/runs', headers: { ...headers } })
  expect((await start({})).statusCode).toBe(401)
  const refused = await start(bearer('looks'))
  expect([refused.statusCode, refused.json().code]).toEqual([403, 'E_ROLE'])
  expect((await start(bearer('all'))).statusCode).toBe(202)
  expect((await rig.app.inject({ url: '/v1/services', headers: bearer('sends') })).statusCode).toBe(403)
})

test('a page of another site starts nothing by the password that a browser remembers', async () => {
  await using rig = await apiRig({ access: access() })
  const start = (site: string) => {
    const headers = { ...basic('me', 'all'), 'sec-fetch-site': site }
    return rig.app.inject({ method: 'POST', url: '/v1/runs', headers })
  }
  expect((await start('cross-site')).statusCode).toBe(403)
  expect((await start('same-origin')).statusCode).toBe(202)
})

test('whether it lives is open to everyone, and nothing that only looks like it', async () => {
  await using rig = await apiRig({ access: access() })
  const status = async (url: string) => (await rig.app.inject({ url })).statusCode
  expect([await status('/healthz'), await status('/readyz')]).toEqual([200, 200])
  for (const url of [
    '/healthz/',
    '/healthz/../v1/services',
    '//healthz',
    '/v1/services?/healthz',
    '/HEALTHZ',
  ])
    expect([url, await status(url)]).toEqual([url, 401])
})

test('a token that is revoked no longer counts; where none is needed nobody is asked', async () => {
  const tokens = access()
  await using rig = await apiRig({ access: tokens })
  const status = async (headers: object) =>
    (await rig.app.inject({ url: '/v1/services', headers: { ...headers } })).statusCode
  expect(await status(bearer('looks'))).toBe(200)
  tokens.revoke('looks')
  expect(await status(bearer('looks'))).toBe(401)
  tokens.needed = false
  expect([await status({}), await status(bearer('looks'))]).toEqual([200, 200])
})

test('the description names every way, and what needs none', async () => {
  await using rig = await apiRig()
  const { components, security, paths } = (await rig.app.inject('/openapi.json')).json()
  expect(Object.keys(components.securitySchemes)).toEqual(['bearer', 'basic', 'session'])
  expect(security).toEqual([{}, { bearer: [] }, { basic: [] }, { session: [] }])
  expect([paths['/healthz'].get.security, paths['/v1/runs'].post.security]).toEqual([[], undefined])
})

test('a fault of the machine is told without its folders, and logged with them', async () => {
  await using rig = await apiRig()
  for (const code of ['E_DISK', 'E_DISK_FULL'] as const) {
    rig.store.faults = () => {
      throw new TidemarkError(code, '/home/ann/data/lake/runs: it fails')
    }
    const answer = await rig.app.inject({ url: '/v1/runs' })
    expect([answer.statusCode >= 500, answer.json().code]).toEqual([true, code])
    expect(answer.json().detail).toBe('DATA/lake/runs: it fails')
  }
  rig.store.faults = null
  expect(rig.lines.filter((line) => line.startsWith('http: /home/ann/data/lake/runs'))).toHaveLength(1)
})
