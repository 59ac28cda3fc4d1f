import fc from 'fast-check'
import { expect, test } from 'vitest'
import { host } from '../../../schemas/datasets/host.ts'
import type { Message } from '../../../schemas/message.ts'
import type { RunStarter } from '../../../schemas/ports/layers.ts'
import { serviceMinute } from '../../../schemas/views/service-minute.ts'
import { makeApp } from '../../../serving/http/server.ts'
import { answersRig, NOW_MS } from '../rig.ts'

const NO_RUNS: RunStarter = {
  start: () => ({ run: 'r', ended: Promise.resolve([]) }),
  find: async () => null,
  cancel: () => false,
}

/** The API and the pages over one message of `web`. */
async function hostileRig() {
  const rig = await answersRig(host, serviceMinute)
  const message: Message = {
    names: ['web', 'h'],
    timeMs: NOW_MS - 60_000,
    gauges: [1, 2, 3],
    agent: null,
    seq: null,
  }
  await rig.publish([message], 1)
  const lines: string[] = []
  const app = makeApp({
    answers: rig.answers,
    clock: rig.clock,
    status: async () => ({}),
    ready: async () => ({ ready: true, reasons: [] }),
    runs: async () => [],
    runStarter: NO_RUNS,
    version: 'test',
    logLine: (line) => void lines.push(line),
  })
  await app.ready()
  return {
    app,
    lines,
    async [Symbol.asyncDispose]() {
      await app.close()
      await rig.answers.close()
    },
  }
}

interface Document {
  readonly paths: {
    readonly [path: string]: {
      readonly get?: { readonly parameters?: readonly { readonly name: string; readonly in: string }[] }
    }
  }
}

const VALUES = [
  '',
  'a',
  '0',
  '-1',
  'null',
  '[]',
  '%00',
  '%ff',
  '%',
  '%2e%2e%2f',
  '%0d%0aX-A:b',
  '%F0%9F%98%80',
  '%E2%80%AE',
  '__proto__',
  'constructor',
  '2026-11-22',
  '2026-13-45',
  '2026-11-22T10:00:00Z',
  '2026-11-22T10:00:00%2B01:00',
  '20261126',
  '9999-12-31T23:59:59Z',
  '0000-01-01',
  '1e9',
  '8640000000000001',
  '9007199254740993',
  '-99999999999999999999',
  '1m',
  '0m',
  'Europe/Berlin',
  'csv',
  'parquet',
  'host',
  '1',
  'x'.repeat(5_000),
]

test('whatever a parameter is, it is answered or refused as a problem', async () => {
  await using rig = await hostileRig()
  const { paths } = (await rig.app.inject({ url: '/openapi.json' })).json() as Document
  const asked = Object.entries(paths).flatMap(([path, { get }]) =>
    get === undefined ? [] : [{ path, names: (get.parameters ?? []).filter((one) => one.in === 'query') }],
  )
  const pages = ['/', '/analysis'].map((path) => ({
    path,
    names: ['from', 'to', 'tz', 'view'].map((name) => ({ name, in: 'query' })),
  }))
  const value = fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(...VALUES) },
    fc.string({ unit: 'binary' }).map((text) => encodeURIComponent(text.toWellFormed())),
    fc.string(),
  )
  const request = fc.constantFrom(...asked, ...pages).chain(({ path, names }) =>
    fc.record({
      path: fc.constant(path),
      inPath: value,
      query: fc.array(
        fc.tuple(
          names.length > 0
            ? fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...names.map(({ name }) => name)) }, value)
            : value,
          fc.constantFrom('=', '=', '=', '[]=', '[a]=', ''),
          value,
        ),
        { maxLength: 4 },
      ),
    }),
  )
  await fc.assert(
    fc.asyncProperty(request, async ({ path, inPath, query }) => {
      const queries = query
        .map(([name, sign, text]) => `${name}${sign}${text.replaceAll(/[#\s]/g, '')}`)
        .join('&')
      const url = `${path.replaceAll(/\{\w+\}/g, inPath.replaceAll(/[#?\s]/g, ''))}?${queries}`
      const response = await rig.app.inject({ url })
      expect([url, response.statusCode < 500]).toEqual([url, true])
      const isPage = pages.some((page) => page.path === path)
      if (response.statusCode >= 400 && !isPage)
        expect([url, response.headers['content-type']]).toEqual([
          url,
          expect.stringMatching(/^application\/problem\+json/),
        ])
    }),
    { numRuns: 1_500 },
  )
  expect(rig.lines).toEqual([])
})

test.for([
  ['/v1/services/web/stats?from=a&from=b', 400, 'from'],
  ['/v1/services/%ff/stats', 400, undefined],
  ['/v1/services/web/stats?from=20261126&to=20261127', 400, 'from'],
  ['/v1/services/web/stats?from=2026-11-22&to=9999-12-31T23:59:59Z', 200, undefined],
  ['/v1/services/web/stats?from=2026-11-22&to=2026-11-22', 200, undefined],
  ['/v1/services/web/series?from=2026-11-22&to=2026-11-22', 200, undefined],
  ['/v1/services/web/minutes?from=2026-11-22&to=9999-12-31T23:59:59Z', 200, undefined],
  ['/v1/views/nothing/stats', 404, undefined],
  ['/v1/views/service_minute/stats?service=web', 200, undefined],
  ['/v1/views/service_minute/stats', 400, 'service'],
  ['/analysis?from=a&from=b', 400, undefined],
  ['/analysis?from=0000-01-01&to=9999-12-31', 200, undefined],
  ['/analysis?view=nothing', 400, undefined],
] as const)('%s is %i', async ([url, status, parameter]) => {
  await using rig = await hostileRig()
  const response = await rig.app.inject({ url })
  expect(response.statusCode, response.body.slice(0, 300)).toBe(status)
  if (parameter !== undefined) expect(response.json().parameter).toBe(parameter)
})
