import type { AddressInfo } from 'node:net'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { csvLine } from '../../../serving/http/csv.ts'
import { type Answered, ask, sendRaw } from './raw.ts'
import { apiRig } from './rig.ts'

/** The API and the pages on a port of this machine. */
async function listening() {
  const rig = await apiRig()
  await rig.app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = rig.app.server.address() as AddressInfo
  return { ...rig, port }
}

let rig: Awaited<ReturnType<typeof listening>>

beforeAll(async () => {
  rig = await listening()
})
afterAll(() => rig[Symbol.asyncDispose]())

interface Operation {
  readonly parameters?: readonly { readonly name: string; readonly in: string }[]
}

interface Document {
  readonly paths: { readonly [path: string]: { readonly [method: string]: Operation } }
}

interface Place {
  readonly method: string
  /** With `{name}` where a parameter stands. */
  readonly path: string
  readonly inPath: readonly string[]
  readonly inQuery: readonly string[]
}

const PAGES: readonly Place[] = ['/', '/analysis'].map((path) => {
  return { method: 'GET', path, inPath: [], inQuery: ['from', 'to', 'tz', 'view'] }
})

/** Every operation of /openapi.json, and the pages. */
async function places(port: number): Promise<readonly Place[]> {
  const { paths } = JSON.parse((await ask(port, '/openapi.json')).body) as Document
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { parameters = [] }]): Place => {
      const named = (where: string) => parameters.filter((one) => one.in === where).map(({ name }) => name)
      return { method: method.toUpperCase(), path, inPath: named('path'), inQuery: named('query') }
    }),
  )
  return [...operations, ...PAGES]
}

/** What is right for a parameter, so that a wrong one beside it is looked at. */
const RIGHT: { readonly [name: string]: string } = {
  service: 'checkout',
  host: 'web-1',
  run: 'none',
  from: '2026-11-22',
  to: '2026-11-23',
  step: '1h',
}

const VALUES = [
  '',
  'a',
  '0',
  '-1',
  'null',
  '[]',
  '{}',
  '[object%20Object]',
  '%00',
  '%0a',
  '%7f',
  '%ff',
  '%c3%28',
  '%ed%a0%80',
  '%',
  '%zz',
  '%25',
  '%2e',
  '%2e%2e',
  '%2e%2e%2f',
  '%2F%2F',
  '%0d%0aX-A:b',
  '%F0%9F%98%80',
  '%E2%80%AE',
  '%EF%BB%BF',
  '%1f',
  'a%1fb',
  '__proto__',
  'constructor',
  'toString',
  '2026-11-22',
  '2026-13-45',
  '2026-11-22T10:00:00Z',
  '2026-11-22T10:00:00%2B01',
  '2026-11-22T10:00:00+01:00',
  '20261126',
  '9999-12-31T23:59:59Z',
  '0000-01-01',
  '-000001-01-01',
  '1e9',
  'Infinity',
  'NaN',
  '8640000000000001',
  '9007199254740993',
  '-99999999999999999999',
  '1m',
  '0m',
  '999999999999d',
  'Europe/Berlin',
  'csv',
  'parquet',
  'host',
  '1',
  'x'.repeat(5_000),
  '%27%22%3Cscript%3E',
]

const isPage = (path: string) => PAGES.some((page) => page.path === path)

/** Refusals are problems, and nothing is a fault of the server. A path may be of none of ours: then it is 404. */
function expectAnswered(asked: unknown, { status, type, body }: Answered, page: boolean): void {
  const isListed = status >= 200 && status < 500
  expect([asked, status, body.slice(0, 200), isListed]).toEqual([asked, status, body.slice(0, 200), true])
  if (status >= 400 && !page)
    expect([asked, type]).toEqual([asked, expect.stringMatching(/^application\/problem\+json/)])
  expect([asked, /"[+-]0\d{5}-\d\d-\d\dT/.exec(body)]).toEqual([asked, null])
}

test('every value in every parameter of every path is answered, or refused as a problem', async () => {
  let count = 0
  for (const { method, path, inPath, inQuery } of await places(rig.port))
    for (const name of [...inPath, ...inQuery])
      for (const value of VALUES)
        for (const sign of inPath.includes(name) || value !== 'a' ? ['='] : ['=', '[]=', '[a]=', '=&']) {
          const of = (one: string) => (one === name ? value : (RIGHT[one] ?? 'a'))
          const pairs = inQuery
            .filter((one) => one === name || RIGHT[one] !== undefined)
            .map((one) => (one === name ? `${name}${sign}${value}` : `${one}=${of(one)}`))
          const url = `${path.replaceAll(/\{(\w+)\}/g, (_, one: string) => of(one))}?${pairs.join('&')}`
          expectAnswered(`${method} ${url}`, await ask(rig.port, url, method), isPage(path))
          count += 1
        }
  expect(count).toBeGreaterThan(3_000)
  expect(rig.lines.filter((line) => line.startsWith('http:'))).toEqual([])
}, 60_000)

test('whatever bytes a request is made of, it is answered or refused as a problem', async () => {
  const all = await places(rig.port)
  const value = fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom(...VALUES) },
    fc.string({ unit: 'binary' }).map((text) => encodeURIComponent(text.toWellFormed())),
    fc.string(),
    fc.uint8Array({ maxLength: 20 }).map((bytes) => String.fromCharCode(...bytes)),
  )
  const request = fc.constantFrom(...all).chain(({ path, method, inQuery }) => {
    const name =
      inQuery.length > 0 ? fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...inQuery) }, value) : value
    const pair = fc.tuple(name, fc.constantFrom('=', '=', '=', '[]=', '[a]=', ''), value)
    return fc.record({
      path: fc.constant(path),
      method: fc.constant(method),
      inPath: value,
      query: fc.array(pair, { maxLength: 4 }),
      body: fc.option(
        fc.oneof(
          value,
          fc.jsonValue().map((json) => JSON.stringify(json)),
        ),
      ),
    })
  })
  await fc.assert(
    fc.asyncProperty(request, async ({ path, method, inPath, query, body }) => {
      const target = `${path.replaceAll(/\{\w+\}/g, () => inPath)}?${query.map((one) => one.join('')).join('&')}`
      const lines = [`${method} ${target} HTTP/1.1`, 'Host: 127.0.0.1', 'Connection: close']
      // A run may be started only by accident.
      const sent = method === 'POST' ? `[${body}` : body
      if (sent !== null)
        lines.push('Content-Type: application/json', `Content-Length: ${Buffer.byteLength(sent, 'latin1')}`)
      const answered = await sendRaw(rig.port, `${lines.join('\r\n')}\r\n\r\n${sent ?? ''}`)
      expectAnswered(lines[0], answered, isPage(path))
    }),
    { numRuns: 500 },
  )
  expect(rig.lines.filter((line) => line.startsWith('http:'))).toEqual([])
}, 60_000)

test.for([
  ['GET /v1/services HTTP/1.1\r\nConnection: close\r\n\r\n', 400],
  ['GET /v1/services HTTP/1.0\r\n\r\n', 200],
  ['GET /\x01 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n', 400],
  ['GET /v1/services HTTP/1.1\r\nHost: 127.0.0.1\r\nhost: localhost\r\nConnection: close\r\n\r\n', 400],
  ['GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n', 400],
  ['nonsense\r\n\r\n', 400],
  ['\x16\x03\x01\x02\x00\x01', 400],
  ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400],
  [`GET /${'x'.repeat(20_000)} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`, 431],
  [`GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`, 431],
  ['POST /v1/runs HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: -1\r\n\r\n', 400],
  [
    'POST /v1/runs HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Type: text/xml\r\nContent-Length: 2\r\n\r\n{}',
    415,
  ],
  [
    'POST /v1/runs HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: 999999\r\n\r\n',
    413,
  ],
] as const)('%j is %i', async ([text, status]) => {
  const answered = await sendRaw(rig.port, text)
  expect(answered.status, answered.body).toBe(status)
  if (status >= 400) expect(answered.type).toMatch(/^application\/problem\+json/)
  if (status >= 400) expect(JSON.parse(answered.body)).toMatchObject({ status, hint: expect.any(String) })
})

const RANGE = 'from=2026-11-22&to=2026-11-23'

test.for([
  ['/v1/services/checkout/stats?from=a&from=b', 400, 'from'],
  ['/v1/services/%ff/stats', 400, undefined],
  ['/v1/services/checkout/stats?from=20261126&to=20261127', 400, 'from'],
  ['/v1/services/checkout/stats?from=2026-11-22&to=9999-12-31T23:59:59Z', 200, undefined],
  ['/v1/services/checkout/stats?from=2026-11-22&to=2026-11-22', 200, undefined],
  ['/v1/services/checkout/stats?from=2026-11-22T10:00:00%2B01&to=2026-11-22T12:00:00+01', 200, undefined],
  ['/v1/services/checkout/stats?from=2016-12-31T23:59:60Z&to=2026-11-22', 200, undefined],
  ['/v1/services/checkout/stats?from=2026-03-29T02:15&to=2026-03-29T02:45&tz=Europe/Berlin', 200, undefined],
  ['/v1/services/checkout/series?from=2026-11-22&to=2026-11-22', 200, undefined],
  ['/v1/services/checkout/series?from=0000-01-01&to=9999-12-31T23:59:59Z', 200, undefined],
  ['/v1/services/checkout/minutes?from=2026-11-22&to=9999-12-31T23:59:59Z', 200, undefined],
  ['/v1/views/service_minute/stats?service=checkout', 200, undefined],
  ['/v1/views/service_minute/stats', 400, 'service'],
  ['/analysis?from=0000-01-01&to=9999-12-31', 200, undefined],
  ['/analysis?from=2011-12-30&to=2011-12-30&tz=Pacific/Apia', 200, undefined],
] as const)('%s is %i', async ([url, status, parameter]) => {
  const response = await ask(rig.port, url)
  expect(response.status, response.body.slice(0, 300)).toBe(status)
  if (parameter !== undefined) expect(JSON.parse(response.body).parameter).toBe(parameter)
  expect(response.body).not.toMatch(/10000-|-00000/)
})

test.for([
  ['/v1/services/chekout/stats', 'service', 'see GET /v1/services'],
  [
    `/v1/views/host_minute/stats?service=checkout&host=web-7&${RANGE}`,
    'service',
    'see GET /v1/views/host_minute/keys',
  ],
  ['/v1/views/nothing/stats', 'view', 'see GET /v1/views'],
  ['/v1/views/nothing', 'view', 'see GET /v1/views'],
  ['/v1/runs/nothing', 'run', 'see GET /v1/runs'],
  ['/v1/nothing', undefined, 'see /openapi.json for what can be asked'],
] as const)('%s names the list of what there is', async ([url, parameter, hint]) => {
  const { status, body } = await ask(rig.port, url)
  const problem = JSON.parse(body)
  expect([status, problem.code, problem.parameter, problem.hint]).toEqual([
    404,
    'E_NOT_FOUND',
    parameter,
    hint,
  ])
})

test('no text of a CSV is a formula, and numbers stay what they are', () => {
  const texts = [
    '=1+1',
    '+1',
    '-1',
    '@x',
    '\t=1',
    ' =1',
    '＝1',
    '\r=1',
    '\n=1',
    'a=1',
    "'a",
    'a,"b"\n',
    'web-1',
  ]
  const lines = texts.map((text) => csvLine([text, -1.5]))
  const cells = lines.join('').split('\r\n').join('|')
  expect(cells).toBe(
    [
      "'=1+1,-1.5",
      "'+1,-1.5",
      "'-1,-1.5",
      "'@x,-1.5",
      "'\t=1,-1.5",
      "' =1,-1.5",
      "'＝1,-1.5",
      '"\'\r=1",-1.5',
      '"\'\n=1",-1.5',
      'a=1,-1.5',
      "'a,-1.5",
      '"a,""b""\n",-1.5',
      'web-1,-1.5',
      '',
    ].join('|'),
  )
})
