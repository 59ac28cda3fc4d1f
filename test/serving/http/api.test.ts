import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type PresentedRun, parseRun, presentRun } from '../../../serving/http/present-run.ts'
import { ROOT } from '../../code/sources.ts'
import { apiRig } from './rig.ts'

test('every example of docs/api.md is what the API answers', async () => {
  await using rig = await apiRig()
  const text = readFileSync(join(ROOT, 'docs/api.md'), 'utf8')
  const examples = [...text.matchAll(/```http\n(\S+) (\S+)\n(\d+)\n([\s\S]*?)```/g)]
  expect(examples.length).toBeGreaterThan(6)
  for (const [, method, url, status, body] of examples) {
    const response = await rig.app.inject({ method: method as 'GET', url: url! })
    expect([url, response.statusCode]).toEqual([url, Number(status)])
    if (body!.startsWith('{')) expect(response.json()).toEqual(JSON.parse(body!))
    else expect(response.body.replaceAll('\r\n', '\n')).toBe(body)
  }
})

test('explain names the set that the answer folds, and its parts, whose messages add up', async () => {
  await using rig = await apiRig()
  const ask = async (of: string, more = '') => {
    const url = `/v1/services/checkout/${of}?from=2026-11-22&to=2026-11-23&explain=1${more}`
    return (await rig.app.inject({ url })).json()
  }
  const stats = await ask('stats')
  expect(stats).toMatchObject({ messages: 3, answered_by: { batch: 2, realtime: 1 } })
  const { explain } = stats
  expect(explain).toMatchObject({
    position: { 0: 3 },
    view_version: 1,
    lake_version: 1,
    files: [{ path: expect.stringMatching(/^date=2026-11-22\//), rows: 2, messages: 2 }],
    ticks: [],
    open: [{ partition: 0, from: 2, to: 3, messages: 1 }],
  })
  expect(explain.files[0].bytes).toBe(
    rig.store.objects.get(`service_minute/${explain.files[0].path}`)?.bytes.length,
  )
  expect((await ask('series')).explain).toEqual(explain)
  expect(await ask('stats', '&as_of=1')).toMatchObject({
    messages: 2,
    explain: { files: explain.files, ticks: [], open: [] },
  })
  expect(await ask('stats', '&by=host')).toMatchObject({ status: 400, parameter: 'explain' })
})

test('as_of answers from one version alone; what is gone is 410', async () => {
  await using rig = await apiRig()
  const at = async (asOf: string) => {
    const url = `/v1/services/checkout/stats?from=2026-11-22&to=2026-11-23&as_of=${asOf}`
    return (await rig.app.inject({ url })).json()
  }
  expect(await at('1')).toMatchObject({
    messages: 2,
    view_version: 1,
    answered_by: { batch: 2, realtime: 0 },
  })
  expect(await at('2026-11-23')).toMatchObject({ messages: 2 })
  expect(await at('7')).toMatchObject({ status: 410, code: 'E_VERSION_GONE', parameter: 'as_of' })
  expect(await at('2026-01-01')).toMatchObject({ status: 410, detail: expect.stringMatching(/oldest/) })
  for (const integer of ['-1', '9007199254740993'])
    expect(await at(integer)).toMatchObject({
      status: 410,
      detail: expect.stringMatching(/version .*oldest/),
    })
  expect(await at('yesterday')).toMatchObject({ status: 400, parameter: 'as_of' })
})

test('cells, series and analytics of one version alone', async () => {
  await using rig = await apiRig()
  const range = 'from=2026-11-22T10:00Z&to=2026-11-22T10:03Z'
  const of = async (path: string, more: string) =>
    (await rig.app.inject({ url: `${path}?${range}${more}` })).json()
  const one = '/v1/services/checkout'
  const counts = (rows: { msg_num: number }[]) => rows.map(({ msg_num }) => msg_num)
  const old = '&as_of=1'
  expect(counts((await of(`${one}/minutes`, '')).rows)).toEqual([2, 1])
  expect(counts((await of(`${one}/minutes`, old)).rows)).toEqual([2])
  expect((await of('/v1/views/service_minute/cells', `${old}&service=checkout`)).rows).toHaveLength(1)
  expect((await of(`${one}/series`, '&step=1m')).messages).toEqual([2, 1, null])
  expect((await of(`${one}/series`, `&step=1m${old}`)).messages).toEqual([2, null, null])
  const all = await of('/v1/analytics', `${old}&sort=-messages&limit=1`)
  expect(all).toMatchObject({ total: 2, services: [{ service: 'checkout', messages: 2, view_version: 1 }] })
  expect((await of('/v1/analytics', '&q=checkout')).services[0].messages).toBe(3)
  expect((await of('/v1/analytics', `${old}&by=host&service=checkout`)).services).toHaveLength(2)
  for (const path of [`${one}/minutes`, `${one}/series`, '/v1/analytics'])
    expect(await of(path, '&as_of=7')).toMatchObject({ status: 410, detail: expect.stringMatching(/oldest/) })
  for (const path of [`${one}/stats`, `${one}/minutes`, `${one}/series`])
    expect(await of(path, `${old}&by=host`)).toMatchObject({ status: 400, parameter: 'as_of' })
  expect(await of('/v1/views/service_minute/series', old)).toMatchObject({ status: 400, parameter: 'as_of' })
})

test('wrong parameters are refused by name', async () => {
  await using rig = await apiRig()
  const cases: [string, string][] = [
    ['from=2026-11-22&to=2026-11-21', 'to'],
    ['from=2026-02-30&to=2026-03-02', 'from'],
    ['from=20:00&to=21:00', 'from'],
    ['from=2026-11-22&to=2026-11-23&tz=Mars', 'tz'],
    ['form=2026-11-22', 'form'],
    ['explain=yes', 'explain'],
  ]
  for (const [query, parameter] of cases) {
    const response = await rig.app.inject({ url: `/v1/services/checkout/stats?${query}` })
    expect([query, response.statusCode, response.json().parameter]).toEqual([query, 400, parameter])
    expect(response.headers['content-type']).toMatch(/^application\/problem\+json/)
  }
})

test('rows come as CSV when the Accept header asks for it', async () => {
  await using rig = await apiRig()
  const url = '/v1/services/checkout/minutes?from=2026-11-22&to=2026-11-23'
  const csv = await rig.app.inject({ url, headers: { accept: 'text/csv' } })
  expect(csv.headers['content-type']).toBe('text/csv; charset=utf-8')
  expect(csv.body.trim().split('\r\n')).toHaveLength(3)
  expect((await rig.app.inject({ url })).json().rows).toHaveLength(2)
  expect((await rig.app.inject({ url: `${url}&format=xml` })).json()).toMatchObject({
    status: 400,
    parameter: 'format',
  })
})

test('analytics are the stats of every service with messages', async () => {
  await using rig = await apiRig()
  const { services } = (await rig.app.inject({ url: '/v1/analytics?from=2026-11-22&to=2026-11-23' })).json()
  expect(services.map((one: { service: string; messages: number }) => [one.service, one.messages])).toEqual([
    ['checkout', 3],
    ['search', 1],
  ])
  expect((await rig.app.inject({ url: '/v1/analytics?from=2020-01-01&to=2020-01-02' })).json()).toEqual({
    services: [],
    total: 0,
    complete: true,
  })
})

test('a run is started, recorded, and refused while another goes on', async () => {
  await using rig = await apiRig()
  await rig.clock.advance(30_000)
  let release = () => {}
  const held = new Promise<void>((resolve) => {
    release = resolve
  })
  rig.store.faults = () => held
  const active = rig.batch.run({ full: true })
  const refused = await rig.app.inject({ method: 'POST', url: '/v1/runs', payload: { full: true } })
  expect(refused.json()).toMatchObject({ status: 409, code: 'E_RUN_ACTIVE' })
  release()
  rig.store.faults = null
  expect((await active).map(({ result }) => result)).toEqual(['published', 'published'])
  const started = await rig.app.inject({ method: 'POST', url: '/v1/runs' })
  const { run } = started.json()
  expect([started.statusCode, started.headers.location]).toEqual([202, `/v1/runs/${run}`])
  const state = async () => (await rig.app.inject({ url: `/v1/runs/${run}` })).json()
  await expect.poll(async () => (await state()).state).toBe('ended')
  expect(await state()).toMatchObject({ run, result: 'nothing_new', stage: null, full: false })
  expect((await rig.app.inject({ url: '/v1/runs/none' })).statusCode).toBe(404)
  const ended = await rig.app.inject({ method: 'DELETE', url: `/v1/runs/${run}` })
  expect(ended.json()).toMatchObject({ status: 409, code: 'E_RUN_ENDED' })
  const wrong = await rig.app.inject({ method: 'POST', url: '/v1/runs', payload: { fulll: true } })
  expect(wrong.statusCode).toBe(400)
  const { runs } = (await rig.app.inject({ url: '/v1/runs' })).json()
  expect(runs.map((one: PresentedRun) => [one.view, one.result, one.view_version])).toEqual([
    ['service_minute', 'published', 2],
    ['host_minute', 'published', 2],
    ['service_minute', 'published', 1],
    ['host_minute', 'published', 1],
  ])
})

test('a run is told in the words of the API, and read back as it was', async () => {
  await using rig = await apiRig()
  const [presented] = (await rig.app.inject({ url: '/v1/runs' })).json().runs
  expect(presented).toMatchObject({
    started: '2026-11-22T12:00:00.030Z',
    view_version: 1,
    messages_version: 1,
  })
  expect(presentRun(parseRun(presented))).toEqual(presented)
})

test('unknown paths and methods are problems too', async () => {
  await using rig = await apiRig()
  expect((await rig.app.inject({ url: '/v1/nothing' })).json()).toMatchObject({
    status: 404,
    code: 'E_NOT_FOUND',
  })
  const wrong = await rig.app.inject({ method: 'DELETE', url: '/v1/runs' })
  expect([wrong.statusCode, wrong.headers.allow, wrong.json().code]).toEqual([
    405,
    'GET, HEAD, POST',
    'E_METHOD',
  ])
  const broken = { 'content-type': 'application/json' }
  const body = await rig.app.inject({ method: 'POST', url: '/v1/runs', headers: broken, payload: '{' })
  expect(body.json()).toMatchObject({ status: 400, code: 'E_PARAMETER' })
})

test('/openapi.json is OpenAPI 3.1 and names every path of the API', async () => {
  await using rig = await apiRig()
  const document = (await rig.app.inject({ url: '/openapi.json' })).json()
  expect(document.openapi).toBe('3.1.0')
  expect(Object.keys(document.paths).sort()).toEqual([
    '/healthz',
    '/metrics',
    '/readyz',
    '/v1/analytics',
    '/v1/datasets',
    '/v1/hosts',
    '/v1/live',
    '/v1/runs',
    '/v1/runs/{run}',
    '/v1/services',
    '/v1/services/{service}/minutes',
    '/v1/services/{service}/series',
    '/v1/services/{service}/stats',
    '/v1/status',
    '/v1/views',
    ...['host_minute', 'service_minute'].flatMap((view) =>
      ['analytics', 'cells', 'keys', 'series', 'stats'].map((what) => `/v1/views/${view}/${what}`),
    ),
  ])
})

test('a service may have any name', async () => {
  await using rig = await apiRig()
  await rig.send('a/b ü?&', 'h', '2026-11-22T10:00:00Z', [1, 2, 3])
  const url = `/v1/services/${encodeURIComponent('a/b ü?&')}/stats?from=2026-11-22&to=2026-11-23`
  expect((await rig.app.inject({ url })).json()).toMatchObject({ service: 'a/b ü?&', messages: 1 })
})

test("by=host answers for each host of the service, and for no other's", async () => {
  await using rig = await apiRig()
  const range = 'from=2026-11-22&to=2026-11-23'
  const get = async (url: string) => (await rig.app.inject({ url })).json()
  const { hosts, complete } = await get(`/v1/services/checkout/stats?${range}&by=host`)
  const { keys } = await get(`/v1/views/host_minute/analytics?${range}`)
  const own = keys.filter(({ service }: { service: string }) => service === 'checkout')
  expect(hosts).toEqual(own)
  expect(own.length).toBeGreaterThan(1)
  expect(keys.length).toBeGreaterThan(own.length)
  expect(complete).toBe(true)
})

test('by=host answers minutes and series of each host of the service, as its own view does', async () => {
  await using rig = await apiRig()
  const range = 'from=2026-11-22T10:00Z&to=2026-11-22T10:03Z'
  const get = async (url: string) => (await rig.app.inject({ url })).json()
  const of = (what: string, host: string) =>
    get(`/v1/views/host_minute/${what}?service=checkout&host=${host}&${range}`)
  const { rows, complete } = await get(`/v1/services/checkout/minutes?${range}&by=host`)
  expect(rows).toEqual([...(await of('cells', 'web-1')).rows, ...(await of('cells', 'web-2')).rows])
  expect([rows.length, complete]).toEqual([3, true])
  const csv = (await rig.app.inject({ url: `/v1/services/checkout/minutes?${range}&by=host&format=csv` }))
    .body
  expect(csv.split('\r\n')[0]).toMatch(/^service,host,time_stamp/)
  const { t, hosts, step_ms } = await get(`/v1/services/checkout/series?${range}&step=1m&by=host`)
  const { t: own, step_ms: ownStep, complete: _, ...columns } = await of('series', 'web-1')
  expect([t, step_ms]).toEqual([own, ownStep])
  expect(hosts[0]).toEqual({ service: 'checkout', host: 'web-1', ...columns })
  expect(hosts.map(({ host }: { host: string }) => host)).toEqual(['web-1', 'web-2'])
  expect((await get(`/v1/services/other/series?${range}&by=host`)).code).toBe('E_NOT_FOUND')
})
