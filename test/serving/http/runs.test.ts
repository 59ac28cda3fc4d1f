import { expect, test } from 'vitest'
import { gateIn } from '../../batch/rig.ts'
import { apiRig } from './rig.ts'

type Rig = Awaited<ReturnType<typeof apiRig>>

const start = ({ app }: Rig, payload?: object) =>
  app.inject({ method: 'POST', url: '/v1/runs', ...(payload && { payload }) })
const look = async ({ app }: Rig, run: string) => (await app.inject({ url: `/v1/runs/${run}` })).json()

test('a run that is asked for right after sending covers it, with the tick of 30 s not due', async () => {
  await using rig = await apiRig()
  await rig.send('checkout', 'web-1', '2026-11-22T10:02:00.000Z', [1, 2, 3])
  const started = await start(rig)
  const { run } = started.json()
  expect([started.statusCode, started.headers.location]).toEqual([202, `/v1/runs/${run}`])
  await expect.poll(() => look(rig, run)).toMatchObject({ state: 'ended', result: 'published' })
  const url = '/v1/services/checkout/stats?from=2026-11-22&to=2026-11-23'
  await expect
    .poll(async () => (await rig.app.inject({ url })).json())
    .toMatchObject({ messages: 4, answered_by: { batch: 4, realtime: 0 }, view_version: 2 })
})

test('while a run goes on its stage and progress are told, and another is refused by its name', async () => {
  await using rig = await apiRig()
  const gate = gateIn(rig.store, 'service_minute/date=')
  const { run } = (await start(rig, { full: true })).json()
  await gate.reached
  expect(await look(rig, run)).toMatchObject({
    run,
    state: 'running',
    full: true,
    ended: null,
    stage: 'compute',
    progress: { done: 0, total: 1 },
    result: null,
    views: [],
  })
  const refused = (await start(rig)).json()
  expect(refused).toMatchObject({ status: 409, code: 'E_RUN_ACTIVE', detail: expect.stringContaining(run) })
  gate.open()
  await expect.poll(() => look(rig, run)).toMatchObject({ state: 'ended', result: 'published', full: true })
  expect((await look(rig, run)).views.map(({ view }: { view: string }) => view)).toEqual([
    'service_minute',
    'host_minute',
  ])
})

test('DELETE cancels a run that goes on', async () => {
  await using rig = await apiRig()
  const gate = gateIn(rig.store, 'service_minute/date=')
  const { run } = (await start(rig)).json()
  await gate.reached
  const cancelled = await rig.app.inject({ method: 'DELETE', url: `/v1/runs/${run}` })
  expect([cancelled.statusCode, cancelled.json()]).toEqual([202, { run }])
  gate.open()
  await expect.poll(() => look(rig, run)).toMatchObject({ state: 'ended', result: 'cancelled' })
  const { runs } = (await rig.app.inject({ url: '/v1/runs' })).json()
  const newest = runs.slice(0, 2).map((one: { run: string; result: string }) => [one.run, one.result])
  expect(newest).toEqual([
    [run, 'cancelled'],
    [run, 'cancelled'],
  ])
  const unknown = await rig.app.inject({ method: 'DELETE', url: '/v1/runs/none' })
  expect(unknown.statusCode).toBe(404)
})
