import { expect, test } from 'vitest'
import { Windows } from '../../../serving/http/windows.ts'
import { TestAccess } from '../../sim/access.ts'
import { SimClock } from '../../sim/clock.ts'
import { apiRig } from './rig.ts'

const bearer = (token: string) => ({ authorization: `Bearer ${token}` })

test('who asks too often is told when to ask again, and others are answered', async () => {
  await using rig = await apiRig({ requestsMax: 3 })
  const ask = async (remoteAddress: string, url = '/v1/services') => rig.app.inject({ url, remoteAddress })
  const from = '2001:db8:1:2::7'
  for (const url of ['/v1/services', '/', '/nowhere']) expect((await ask(from, url)).statusCode).not.toBe(429)
  await rig.clock.advance(20_500)
  // Another of the addresses that its provider gives one customer.
  const refused = await ask('2001:db8:1:2:3::8')
  expect(refused.statusCode).toBe(429)
  expect(refused.headers).toMatchObject({
    'retry-after': '40',
    'content-type': expect.stringContaining('application/problem+json'),
  })
  expect(refused.json()).toMatchObject({ code: 'E_RATE', status: 429 })
  for (const url of ['/healthz', '/readyz', '/metrics', '/', '/nowhere', '/v1/live'])
    expect([url, (await ask(from, url)).statusCode]).toEqual([url, 429])
  expect((await ask('10.0.0.9')).statusCode).toBe(200)
  await rig.clock.advance(40_000)
  expect((await ask(from)).statusCode).toBe(200)
})

test('each token has its own, whatever address or session it comes from', async () => {
  const access = new TestAccess({ looks: 'viewer', all: 'admin' })
  await using rig = await apiRig({ access, requestsMax: 4 })
  const ask = async (headers: object, remoteAddress = '10.0.0.1') =>
    (await rig.app.inject({ url: '/v1/services', headers: { ...headers }, remoteAddress })).statusCode
  expect(await ask(bearer('looks'))).toBe(200)
  expect(await ask(bearer('looks'), '10.0.0.2')).toBe(200)
  const payload = new URLSearchParams({ token: 'looks' }).toString()
  const form = { 'content-type': 'application/x-www-form-urlencoded', 'sec-fetch-site': 'same-origin' }
  const signedIn = await rig.app.inject({ method: 'POST', url: '/sign-in', headers: form, payload })
  const cookie = String(signedIn.headers['set-cookie']).split(';')[0]!
  const session = { cookie, 'sec-fetch-site': 'same-origin' }
  expect([await ask(session), await ask(session), await ask(session)]).toEqual([200, 200, 429])
  expect([await ask(bearer('looks'), '10.0.0.3'), await ask(bearer('all'))]).toEqual([429, 200])
  // Without a token it is refused for that until it is refused for asking.
  const outside: number[] = []
  for (let i = 0; i < 5; i++) outside.push(await ask({}))
  expect(outside).toEqual([401, 401, 401, 401, 429])
})

test('what watches over the process is answered on the machine itself, and sees what was refused', async () => {
  await using rig = await apiRig({ requestsMax: 2 })
  for (let i = 0; i < 5; i++) await rig.app.inject({ url: '/v1/services' })
  for (const url of ['/healthz', '/readyz', '/metrics'])
    expect((await rig.app.inject({ url })).statusCode).toBe(200)
  const { body } = await rig.app.inject({ url: '/metrics' })
  expect(body).toContain('# TYPE tidemark_http_rate_limited_total counter\n')
  expect(body).toContain('\ntidemark_http_rate_limited_total 3\n')
  expect(body).toContain('\ntidemark_http_requests_total 9\n')
})

test('what is remembered is bounded, and a clock set back shuts nobody out', async () => {
  const clock = new SimClock(0)
  const windows = new Windows(clock, 1_000)
  for (let i = 0; i < 50_000; i++) windows.count(`${i}`)
  expect([windows.of('0'), windows.of('39999'), windows.of('40000'), windows.of('49999')]).toEqual([
    0, 0, 1, 1,
  ])
  await clock.advance(999)
  expect([windows.count('49999'), windows.leftMs('49999')]).toEqual([2, 1])
  await clock.advance(1)
  expect([windows.of('49999'), windows.leftMs('49999'), windows.count('49999')]).toEqual([0, 0, 1])
  const back = { ...clock, nowMs: () => nowMs } as unknown as SimClock
  let nowMs = 3_600_000
  const other = new Windows(back, 1_000)
  other.count('a')
  nowMs = 0
  expect([other.of('a'), other.count('a'), other.leftMs('a')]).toEqual([0, 1, 1_000])
})
