import type { AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import { GUESSES_MAX, GUESSES_MS } from '../../../../serving/http/session/guesses.ts'
import { SESSION_MS_MAX, SESSIONS_MAX } from '../../../../serving/http/session/sessions.ts'
import { TestAccess } from '../../../sim/access.ts'
import { apiRig } from '../rig.ts'

const roles = { looks: 'viewer', all: 'admin', sends: 'agent' } as const
const PAGE = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' }
const FORM = { 'content-type': 'application/x-www-form-urlencoded' }

async function rigOf(access = new TestAccess(roles)) {
  const rig = await apiRig({ access })
  const signIn = (fields: Record<string, string>, headers: object = {}) =>
    rig.app.inject({
      method: 'POST',
      url: '/sign-in',
      headers: { ...FORM, ...headers },
      payload: new URLSearchParams(fields).toString(),
    })
  const status = async (cookie: string, url = '/v1/services') =>
    (await rig.app.inject({ url, headers: { cookie } })).statusCode
  /** The session of a token, as a cookie. */
  const session = async (token: string) =>
    String((await signIn({ token })).headers['set-cookie']).split(';')[0]!
  return { ...rig, access, signIn, status, session, [Symbol.asyncDispose]: rig[Symbol.asyncDispose] }
}

test('a browser that asks for a page is led to the form and back; a program is told', async () => {
  await using rig = await rigOf()
  const asked = await rig.app.inject({ url: '/analysis?from=2026-11-22&to=2026-11-23', headers: PAGE })
  const form = '/sign-in?return=%2Fanalysis%3Ffrom%3D2026-11-22%26to%3D2026-11-23'
  expect([asked.statusCode, asked.headers.location]).toEqual([303, form])
  const page = await rig.app.inject({ url: form, headers: PAGE })
  expect(page.statusCode).toBe(200)
  const [, back] = /name="return" value="([^"]*)"/.exec(page.body) ?? []
  const fields = { token: 'looks', return: back!.replaceAll('&amp;', '&') }
  const done = await rig.signIn(fields, { 'sec-fetch-site': 'same-origin' })
  expect([done.statusCode, done.headers.location]).toEqual([303, '/analysis?from=2026-11-22&to=2026-11-23'])
  for (const [url, headers] of [
    ['/v1/services', PAGE],
    ['/openapi.json', PAGE],
    ['/', { accept: '*/*' }],
    ['/', { ...PAGE, 'sec-fetch-dest': 'script' }],
  ] as const)
    expect([url, (await rig.app.inject({ url, headers })).statusCode]).toEqual([url, 401])
})

test('the cookie is kept from scripts and other sites, and over TLS from everything else', async () => {
  await using rig = await rigOf()
  const cookie = (await rig.signIn({ token: ' looks\n' })).headers['set-cookie']
  expect(cookie).toMatch(/^tidemark=[0-9a-f]{64}; Path=\/; HttpOnly; SameSite=Lax; Max-Age=43200$/)
  const secure = (await rig.signIn({ token: 'looks' }, { 'x-forwarded-proto': 'https' })).headers[
    'set-cookie'
  ]
  expect(secure).toMatch(/^__Host-tidemark=[0-9a-f]{64}; Path=\/; HttpOnly; SameSite=Lax; Secure; Max-Age=/)
})

test('a session ends with its token, its time, and by signing out', async () => {
  await using rig = await rigOf()
  const [first, second, third] = [
    await rig.session('looks'),
    await rig.session('all'),
    await rig.session('all'),
  ]
  expect(await Promise.all([first, second, third].map((one) => rig.status(one)))).toEqual([200, 200, 200])
  rig.access.revoke('looks')
  expect(await rig.status(first)).toBe(401)
  const out = await rig.app.inject({ method: 'POST', url: '/sign-out', headers: { cookie: second } })
  expect(out.headers['set-cookie']).toMatch(/^tidemark=; .*Max-Age=0$/)
  expect([await rig.status(second), await rig.status(third)]).toEqual([401, 200])
  await rig.clock.advance(SESSION_MS_MAX)
  expect(await rig.status(third)).toBe(401)
})

test('signing in again ends the session before, and one token has a maximum of them', async () => {
  await using rig = await rigOf()
  const first = await rig.session('all')
  await rig.signIn({ token: 'looks' }, { cookie: first })
  expect(await rig.status(first)).toBe(401)
  const other = await rig.session('looks')
  const oldest = await rig.session('all')
  for (let i = 1; i < SESSIONS_MAX; i++) await rig.session('all')
  expect(await rig.status(oldest)).toBe(200)
  await rig.session('all')
  expect([await rig.status(oldest), await rig.status(other)]).toEqual([401, 200])
})

test('what is no token is said on the form, which keeps the way back', async () => {
  await using rig = await rigOf()
  for (const [token, status, words] of [
    ['guessed', 401, 'no valid access token'],
    ['', 401, 'no valid access token'],
    ['sends', 403, 'for an agent'],
  ] as const) {
    const answer = await rig.signIn({ token, return: '/analysis?view=host_minute' })
    expect([token, answer.statusCode, answer.headers['set-cookie']]).toEqual([token, status, undefined])
    expect(answer.body).toContain(words)
    expect(answer.body).toContain('value="/analysis?view=host_minute"')
  }
  const empty = await rig.app.inject({ method: 'POST', url: '/sign-in' })
  expect(empty.statusCode).toBe(401)
  const long = await rig.signIn({ token: 'x'.repeat(10_000) })
  expect(long.statusCode).toBe(413)
})

test('a form of another site signs nobody in or out', async () => {
  await using rig = await rigOf()
  for (const headers of [
    { 'sec-fetch-site': 'cross-site' },
    { origin: 'https://evil.example' },
    { origin: 'null' },
  ]) {
    expect((await rig.signIn({ token: 'looks' }, headers)).statusCode).toBe(403)
    const cookie = await rig.session('looks')
    const out = await rig.app.inject({ method: 'POST', url: '/sign-out', headers: { ...headers, cookie } })
    expect([401, 403]).toContain(out.statusCode)
    expect(await rig.status(cookie)).toBe(200)
  }
})

test('who guesses is slowed, by form and by header, and a right token of another id still counts', async () => {
  const id = (n: number) => `tmk_${String(n).padStart(8, '0')}_`
  const right = `${id(1)}aa`
  await using rig = await rigOf(new TestAccess({ [right]: 'viewer', [`${id(2)}bb`]: 'viewer' }))
  const by = async (token: string) => {
    const headers = { authorization: `Bearer ${token}` }
    return (await rig.app.inject({ url: '/v1/services', headers })).statusCode
  }
  for (let i = 0; i < GUESSES_MAX; i++) expect(await by(`${id(1)}${i}`)).toBe(401)
  const headers = { authorization: `Bearer ${right}` }
  const late = await rig.app.inject({ url: '/v1/services', headers })
  expect([late.statusCode, late.json().code, late.headers['retry-after']]).toEqual([429, 'E_GUESSES', '60'])
  const form = await rig.signIn({ token: right })
  expect([form.statusCode, form.headers['set-cookie'], form.headers['retry-after']]).toEqual([
    429,
    undefined,
    '60',
  ])
  expect(await by(`${id(2)}bb`)).toBe(200)
  await rig.clock.advance(GUESSES_MS)
  expect([await by(right), (await rig.signIn({ token: right })).statusCode]).toEqual([200, 303])
})

test('who is signed in sees as what, and a name that is markup is shown as it is', async () => {
  await using rig = await rigOf()
  const cookie = await rig.session('all')
  const page = await rig.app.inject({ url: '/sign-in?return=//evil.example', headers: { cookie } })
  expect(page.body).toMatch(/You are signed in.*as admin\. <a href="\/">/s)
  const evil = await rig.app.inject({ url: '/sign-in?return=/%22%3E%3Cscript%3Ealert(1)%3C/script%3E' })
  expect(evil.body).not.toContain('<script')
})

test('a stream ends with the token or the session that opened it, and others go on', async () => {
  const access = new TestAccess({ ...roles, other: 'viewer' })
  await using rig = await rigOf(access)
  await rig.app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = rig.app.server.address() as AddressInfo
  const open = async (headers: Record<string, string>) => {
    const stream = await fetch(`http://127.0.0.1:${port}/v1/live`, { headers })
    expect(stream.status).toBe(200)
    // Read to its end, or to where it is cut off.
    return { ended: stream.text().catch(() => '') }
  }
  const [cookie, other] = [await rig.session('all'), await rig.session('other')]
  const byToken = await open({ authorization: 'Bearer looks' })
  const bySession = await open({ cookie })
  const revokedSession = await open({ cookie: other })
  const aging = await open({ cookie: await rig.session('all') })
  access.revoke('looks')
  await byToken.ended
  await rig.app.inject({ method: 'POST', url: '/sign-out', headers: { cookie } })
  await bySession.ended
  access.revoke('other')
  await revokedSession.ended
  await rig.clock.advance(SESSION_MS_MAX)
  await aging.ended
})
