import { type IncomingHttpHeaders, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { changeTokens } from '../../../cli/access/token-file.ts'
import { openTokens } from '../../../cli/access/tokens.ts'
import { TidemarkError } from '../../../schemas/errors.ts'
import { hashToken, makeToken, type Role } from '../../../schemas/token.ts'
import { GUESSES_MAX, GUESSES_MS } from '../../../serving/http/session/guesses.ts'
import { SESSION_MS_MAX } from '../../../serving/http/session/sessions.ts'
import { SimClock } from '../../sim/clock.ts'
import { SimDisk } from '../../sim/disk.ts'
import { simRandom } from '../../sim/random.ts'
import { apiRig } from './rig.ts'

/** Everything that somebody might try, on every path and method of /openapi.json as it is. */

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'QUERY', 'TRACE'] as const
const READING: readonly string[] = ['GET', 'HEAD']
/** What is not in /openapi.json. */
const BESIDE = ['/', '/analysis', '/openapi.json', '/assets/style.css', '/sign-out', '/nowhere']
const LIFE_MS = 60_000
/** Thousands of requests, on a machine that may be busy. */
const MANY_MS = 120_000

interface Place {
  readonly path: string
  readonly open: boolean
}
type Headers = Readonly<Record<string, string>>

const { places, ask, credentials, rig } = await prepared()
const closed = places.filter(({ open }) => !open)
let runs: string
beforeAll(async () => {
  runs = await runsNow()
})
afterAll(async () => {
  expect(await runsNow()).toBe(runs)
  await rig[Symbol.asyncDispose]()
})

async function runsNow(): Promise<string> {
  return (await ask('GET', '/v1/runs', credentials.admin)).body
}

/** The API on a port, tokens of every kind, and a request as it is written. */
async function prepared() {
  const clock = new SimClock(0)
  const disk = new SimDisk(1, clock)
  const random = simRandom(7)
  const made = async (role: Role, expiresMs: number | null = null) => {
    const { id, token } = makeToken(random)
    const record = { id, role, name: '', createdMs: 0, expiresMs, sha256: hashToken(token) }
    await changeTokens({ disk, clock }, '/data', (tokens) => [...tokens, record])
    return { id, token }
  }
  const [admin, viewer, agent] = [await made('admin'), await made('viewer'), await made('agent')]
  const [revoked, expired] = [await made('admin'), await made('admin', LIFE_MS)]
  const rule = { insecure: false, loopback: true }
  const tokens = await openTokens({ dataDir: '/data', rule }, { disk, clock, random, logLine: () => {} })
  const sql = {
    queries: {
      query: () => {
        throw new TidemarkError('E_PARAMETER', 'nobody reads the lake here')
      },
    } as never,
    published: () => null,
    withFile: () => Promise.reject(new Error('nobody reads the lake here')),
    whole: () => Promise.reject(new Error('nobody reads the lake here')),
  }
  const rig = await apiRig({ access: tokens.access, sql })
  await rig.app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = rig.app.server.address() as AddressInfo
  const ask = asking(port)

  const signIn = async (token: string): Promise<string> => {
    const form = { 'content-type': 'application/x-www-form-urlencoded' }
    const { status, headers } = await ask('POST', '/sign-in', form, `token=${token}`)
    expect(status).toBe(303)
    return headers['set-cookie']![0]!.split(';')[0]!
  }
  // The clock of the sessions is the rig's: this one is over before the others begin.
  const outlived = await signIn(admin.token)
  await rig.clock.advance(SESSION_MS_MAX)
  const cookies = {
    admin: await signIn(admin.token),
    viewer: await signIn(viewer.token),
    revoked: await signIn(revoked.token),
    expired: await signIn(expired.token),
    signedOut: await signIn(admin.token),
  }
  const left = await ask('POST', '/sign-out', { cookie: cookies.signedOut })
  expect([left.status, left.headers.location]).toEqual([303, '/sign-in'])
  await changeTokens({ disk, clock }, '/data', (all) => all.filter(({ id }) => id !== revoked.id))
  await clock.advance(LIFE_MS + 1_000)
  await tokens.close()

  const bearer = (token: string) => ({ authorization: `Bearer ${token}` })
  const basic = (text: string) => ({ authorization: `Basic ${Buffer.from(text).toString('base64')}` })
  const outside: Record<string, Headers> = {
    nothing: {},
    'an empty bearer': bearer(''),
    'a half token': bearer(admin.token.slice(0, -1)),
    'a longer token': bearer(`${admin.token}0`),
    'a token in capitals': bearer(admin.token.toUpperCase()),
    'two tokens': bearer(`${agent.token}, Bearer ${admin.token}`),
    'a token of another scheme': { authorization: `Token ${admin.token}` },
    'a bare token': { authorization: admin.token },
    'the hash of a token': bearer(hashToken(admin.token)),
    'a token as user name': basic(`${admin.token}:`),
    'no base64': { authorization: 'Basic %%%' },
    'a token in another header': { 'x-authorization': `Bearer ${admin.token}` },
    'a revoked token': bearer(revoked.token),
    'an expired token': bearer(expired.token),
    'an expired token as password': basic(`me:${expired.token}`),
    'an invented session': { cookie: 'tidemark=1' },
    'a token as session': { cookie: `tidemark=${admin.token}` },
    'an empty session': { cookie: 'tidemark=' },
    'broken cookies': { cookie: ';=;tidemark;=tidemark=1;%' },
    'a session of a revoked token': { cookie: cookies.revoked },
    'a session of an expired token': { cookie: cookies.expired },
    'a session signed out of': { cookie: cookies.signedOut },
    'a session that is over': { cookie: outlived },
    'a session, asked by another site': { cookie: cookies.admin, 'sec-fetch-site': 'cross-site' },
    'a session, asked by another port': { cookie: cookies.admin, 'sec-fetch-site': 'same-site' },
    'a session, asked from another origin': { cookie: cookies.admin, origin: 'https://evil.example' },
    'a session, asked from nowhere': { cookie: cookies.admin, origin: 'null' },
  }
  const credentials = {
    outside,
    admin: bearer(admin.token),
    viewer: bearer(viewer.token),
    viewerCookie: { cookie: cookies.viewer },
    adminCookie: { cookie: cookies.admin },
    agent: bearer(agent.token),
    agentPassword: basic(`me:${agent.token}`),
  }
  const { paths } = JSON.parse((await ask('GET', '/openapi.json', credentials.admin)).body) as {
    paths: Record<string, Record<string, { security?: unknown[] }>>
  }
  const described = Object.entries(paths).map(([path, methods]): Place => {
    const open = Object.values(methods).every(({ security }) => security?.length === 0)
    return { path: path.replaceAll(/\{[^}]+\}/g, 'checkout'), open }
  })
  const places = [...described, ...BESIDE.map((path): Place => ({ path, open: false }))]
  return { places, ask, credentials, rig }
}

interface Answered {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

function asking(port: number) {
  return (method: string, path: string, headers: Headers, body = ''): Promise<Answered> =>
    new Promise((resolve, reject) => {
      const all = { ...headers, 'content-length': String(body.length) }
      const asked = request({ port, host: '127.0.0.1', method, path, headers: all }, (response) => {
        const { statusCode: status, headers } = response
        // A stream never ends.
        if (headers['content-type']?.includes('event-stream')) {
          asked.destroy()
          return resolve({ status: status!, headers, body: '' })
        }
        let text = ''
        response.setEncoding('utf8').on('data', (part) => {
          text += part
        })
        response.on('end', () => resolve({ status: status!, headers, body: text }))
      })
      asked.on('error', reject)
      asked.end(body)
    })
}

/** That nobody was let in, and nothing told. */
function expectRefused(what: string, { status, headers, body }: Answered, allowed: readonly number[]): void {
  expect([what, status], body).toEqual([what, expect.toBeOneOf(allowed)])
  if (body !== '')
    expect([what, headers['content-type']]).toEqual([what, expect.stringMatching(/problem\+json/)])
  expect([what, /checkout|web-1|"runs"|openapi": /.test(body.replaceAll(/"detail":"[^"]*"/g, ''))]).toEqual([
    what,
    false,
  ])
}

test('the document says what is open, and it is little', () => {
  expect(places.filter(({ open }) => open).map(({ path }) => path)).toEqual(['/healthz', '/readyz'])
  expect(closed.length).toBeGreaterThan(20)
  expect(closed.map(({ path }) => path)).toContain('/v1/query')
  expect(METHODS.length).toBeLessThanOrEqual(GUESSES_MAX)
})

test('an agent gets in nowhere, and a viewer changes nothing', { timeout: MANY_MS }, async () => {
  const { agent, agentPassword, viewer, viewerCookie } = credentials
  for (const { path } of closed)
    for (const method of METHODS) {
      const signsOut = path === '/sign-out' && method === 'POST'
      for (const headers of [agent, agentPassword])
        expectRefused(`${method} ${path}`, await ask(method, path, headers), [403])
      if (READING.includes(method) || signsOut) continue
      for (const headers of [viewer, viewerCookie])
        expectRefused(`${method} ${path}`, await ask(method, path, headers), [403])
    }
})

test('a way of writing a path leads round no guard', { timeout: MANY_MS }, async () => {
  const ways: readonly ((path: string) => string)[] = [
    (path) => `/${path}`,
    (path) => `${path}/`,
    (path) => `${path}.`,
    (path) => `${path}..`,
    (path) => `${path}%2e`,
    (path) => `${path}%00`,
    (path) => `${path}%20`,
    (path) => path.replace('/', '/./'),
    (path) => path.replaceAll('/', '//'),
    (path) => path.replaceAll('/', '/%2f'),
    (path) => path.replaceAll('v', '%76').replaceAll('s', '%73'),
    (path) => path.toUpperCase(),
    (path) => `/healthz/..${path}`,
    (path) => `/healthz%2f..${path}`,
    (path) => `/sign-in/..${path}`,
    (path) => `/sign-in.css/../..${path}`,
    (path) => `/assets/..${path}`,
    (path) => `${path};/healthz`,
    (path) => `${path}?/healthz`,
    (path) => `${path}?return=/sign-in`,
    (path) => `http://127.0.0.1${path}`,
    (path) => `http://healthz${path}`,
    (path) => `${path}?access_token=looks&token=all`,
  ]
  for (const { path } of closed)
    for (const way of ways)
      for (const method of ['GET', 'HEAD', 'OPTIONS', 'POST', 'DELETE'])
        expectRefused(`${method} ${way(path)}`, await ask(method, way(path), {}), [400, 401])
})

test('who is let in gets in: nothing above is refused for another reason', async () => {
  for (const headers of [credentials.viewer, credentials.viewerCookie, credentials.admin])
    for (const { path } of closed.filter(({ path }) => !['/nowhere', '/sign-out'].includes(path)))
      expect([path, (await ask('GET', path, headers)).status]).toEqual([
        path,
        expect.toBeOneOf([200, 400, 404, 405]),
      ])
  for (const headers of [credentials.admin, credentials.adminCookie])
    expect((await ask('DELETE', '/v1/runs/none', headers)).status).toBe(404)
})

test('a session, asked by another site, follows a link and does nothing else', async () => {
  const cross = { ...credentials.adminCookie, 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' }
  expect((await ask('GET', '/', cross)).status).toBe(200)
  for (const method of ['POST', 'DELETE', 'PUT'])
    for (const { path } of closed)
      expectRefused(`${method} ${path}`, await ask(method, path, cross), [401, 403])
})

for (const [name, headers] of Object.entries(credentials.outside))
  test(`${name} opens no path by no method`, { timeout: MANY_MS }, async () => {
    for (const { path } of closed) {
      for (const method of METHODS)
        expectRefused(`${method} ${path}`, await ask(method, path, headers), [401])
      // Fewer tries than are slowed.
      if ('authorization' in headers) await rig.clock.advance(GUESSES_MS)
    }
  })
