import { expect, test } from 'vitest'
import type { OpenEngine } from '../../batch/engines/engine.ts'
import { openReference } from '../../batch/engines/reference.ts'
import { TidemarkError } from '../../schemas/errors.ts'
import { DAY_MS } from '../../schemas/time.ts'
import { batchRig, gateIn } from './rig.ts'

const NOON_MS = Date.UTC(2026, 10, 22, 9)
const DATES = ['2026-11-20', '2026-11-21', '2026-11-22']

/** An engine that notes the dates of `service_minute` it computes, and never ends once it has computed `diesAfter`. */
function noting(diesAfter = Number.POSITIVE_INFINITY) {
  const dates: string[] = []
  const { promise: died, resolve: die } = Promise.withResolvers<void>()
  const openEngine: OpenEngine = async (tables) => {
    const engine = await openReference(tables)
    if (tables.view.name !== 'service_minute') return engine
    return {
      ...engine,
      async compute(date, upTo, signal) {
        if (dates.length === diesAfter) {
          die()
          await new Promise(() => {})
        }
        dates.push(date.date)
        return engine.compute(date, upTo, signal)
      },
    }
  }
  return { dates, died, openEngine }
}

/** A lake with a message on each of three dates, and a run over it that was killed after the first two. */
async function killedRig() {
  const rig = await batchRig()
  for (const i of DATES.keys()) await rig.send(NOON_MS - i * DAY_MS)
  const engine = noting(2)
  const killed = await rig.batchOn(rig.tables(), { openEngine: engine.openEngine })
  const { run } = killed.start({ full: true })
  await engine.died
  expect(engine.dates).toEqual(DATES.slice(0, 2))
  return { rig, run }
}

const kept = ({ store }: { store: { objects: ReadonlyMap<string, unknown> } }, folder: string) =>
  [...store.objects.keys()].filter((key) => key.startsWith(folder))

test('a full run goes on behind the dates that a killed one had computed', async () => {
  const { rig, run } = await killedRig()
  await using _ = rig
  const { dates, openEngine } = noting()
  const next = await rig.batchOn(rig.tables(), { openEngine, isAlone: true })
  const [service] = await next.run({ full: true })
  expect(dates).toEqual(['2026-11-22'])
  expect(service).toMatchObject({ result: 'published', files: 3, rows: 3, hours: 3 })
  expect(service!.stages.map(({ stage, reused, error }) => [stage, reused, error])).toEqual([
    ['plan', 0, null],
    ['map', 2, null],
    ['reduce', 2, null],
    ['publish', 0, null],
  ])
  expect(await rig.published()).toMatchObject({ tidemark: 2, cells: 3 })
  const [interrupted] = (await next.runs()).filter((record) => record.run === run)
  expect(interrupted).toMatchObject({
    result: 'failed',
    error: expect.stringContaining('ended in the middle'),
  })
  expect(interrupted!.stages.map(({ stage }) => stage)).toEqual(['plan'])
  expect([...kept(rig, '_work/'), ...kept(rig, '_runs/')]).toEqual([])
  // One that a person asks for afterwards does recompute everything.
  await next.run({ full: true })
  expect(dates).toEqual(['2026-11-22', ...DATES])
  await next.close()
})

test('a date that changed meanwhile is computed again, and only that', async () => {
  const { rig } = await killedRig()
  await using _ = rig
  await rig.send(NOON_MS - DAY_MS + 60_000)
  const { dates, openEngine } = noting()
  const next = await rig.batchOn(rig.tables(), { openEngine })
  await next.run({ full: true })
  expect(dates).toEqual(['2026-11-21', '2026-11-22'])
  expect(await rig.published()).toMatchObject({ tidemark: 3, cells: 4 })
  await next.close()
})

test('of two that go on with the same work one publishes, and the other is discarded', async () => {
  const { rig } = await killedRig()
  await using _ = rig
  const gate = gateIn(rig.store, 'service_minute/_delta_log/')
  const slow = await rig.batchOn(rig.tables())
  const ended = slow.run({ full: true })
  await gate.reached
  rig.store.faults = null
  const other = await rig.batchOn(rig.tables())
  const [won] = await other.run({ full: true })
  const { version } = await rig.published()
  gate.open()
  const [lost] = await ended
  expect([won!.result, lost!.result]).toEqual(['published', 'lost_race'])
  expect(won!.stages.find(({ stage }) => stage === 'map')!.reused).toBe(3)
  expect(await rig.published()).toMatchObject({ version, tidemark: 2, cells: 3 })
  // What the loser leaves behind takes nothing from the winner.
  await rig.send(NOON_MS)
  expect((await other.run({ full: true }))[0]!.result).toBe('published')
  expect(await rig.published()).toMatchObject({ cells: 3, tidemark: 3 })
  await Promise.all([slow.close(), other.close()])
})

test('work that is published is not taken for work, also when it could not be forgotten', async () => {
  await using rig = await batchRig()
  for (const i of DATES.keys()) await rig.send(NOON_MS - i * DAY_MS)
  rig.store.faults = ({ what, key }) => {
    if (what === 'delete' && key.startsWith('_work/')) throw new TidemarkError('E_STORE', 'out of reach')
  }
  expect((await rig.batch.run({ full: false }))[0]!.result).toBe('published')
  expect(kept(rig, '_work/service_minute/')).toHaveLength(3)
  rig.store.faults = null
  const [again] = await rig.batch.run({ full: true })
  expect(again).toMatchObject({ result: 'published', files: 3 })
  expect(again!.stages.map(({ reused }) => reused)).toEqual([0, 0, 0, 0])
  expect(await rig.published()).toMatchObject({ cells: 3 })
  expect(kept(rig, '_work/')).toEqual([])
})

test('work whose file is damaged, or that is old, is done again', async () => {
  for (const harm of ['damaged', 'old'] as const) {
    const { rig } = await killedRig()
    await using _ = rig
    if (harm === 'old') await rig.clock.advance(3 * 3_600_000)
    else for (const key of kept(rig, 'service_minute/date=')) rig.store.objects.get(key)!.bytes.fill(0)
    const { dates, openEngine } = noting()
    const next = await rig.batchOn(rig.tables(), { openEngine })
    await next.run({ full: true })
    expect([harm, dates]).toEqual([harm, DATES])
    expect(await rig.published()).toMatchObject({ cells: 3 })
    await next.close()
  }
})

test('a stage that cannot be recorded lets no other start', async () => {
  await using rig = await batchRig()
  await rig.send()
  const { dates, openEngine } = noting()
  const other = await rig.batchOn(rig.tables(), { openEngine })
  rig.store.faults = ({ what, key }) => {
    if (what === 'put' && key.startsWith('_runs/')) throw new TidemarkError('E_DISK_FULL', 'no space left')
  }
  const [service] = await other.run({ full: false })
  expect(service).toMatchObject({ result: 'failed', error: 'no space left (E_DISK_FULL)' })
  expect([service!.stages.map(({ stage }) => stage), dates]).toEqual([['plan'], []])
  rig.store.faults = null
  await other.close()
})

test('a run records what each stage was given and gave, and which one failed why', async () => {
  await using rig = await batchRig()
  await rig.send(NOON_MS)
  await rig.send(NOON_MS + 3_600_000)
  await rig.batch.run({ full: false })
  rig.store.faults = ({ what, key }) => {
    if (what === 'putIfAbsent' && key.startsWith('service_minute/date='))
      throw new TidemarkError('E_DISK_FULL', 'no space left')
  }
  await rig.send(NOON_MS + 1)
  await rig.batch.run({ full: false })
  rig.store.faults = null
  const [failed, published] = (await rig.batch.runs())
    .filter(({ view }) => view === 'service_minute')
    .map(({ stages }) => stages)
  expect(failed!.map(({ stage, error }) => [stage, error])).toEqual([
    ['plan', null],
    ['map', 'no space left (E_DISK_FULL)'],
  ])
  const size = (key: string) => rig.store.objects.get(key)!.bytes.length
  const messages = (await rig.tables().datasets[0]!.messages.snapshot())!
  const [first] = [...messages.files.values()].sort((a, b) => a.modifiedMs - b.modifiedMs)
  const made = (await rig.views.service.published.snapshot())!
  const cells = size(`service_minute/${[...made.files.keys()][0]}`)
  expect(published).toMatchObject([
    { stage: 'plan', inputs: { files: 1, rows: 2, bytes: first!.size }, rows: 2, bytes: first!.size },
    {
      stage: 'map',
      inputs: { files: 1, rows: 2, bytes: first!.size },
      rows: null,
      seconds: null,
      joined: 'reduce',
    },
    { stage: 'reduce', inputs: { files: 0, rows: 0, bytes: 0 }, rows: 2, bytes: cells, joined: null },
    { stage: 'publish', inputs: { files: 1, rows: 2, bytes: cells }, rows: 2, bytes: cells },
  ])
})
