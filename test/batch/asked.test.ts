import { expect, test } from 'vitest'
import { TidemarkError } from '../../schemas/errors.ts'
import { batchRig, gateIn, TICK_MS } from './rig.ts'

test('a run that a person asks for covers what was accepted before, though no tick was due', async () => {
  await using rig = await batchRig()
  for (let n = 0; n < 3; n++) await rig.send()
  const records = await rig.batch.run({ full: false })
  expect(records.map(({ view, result, tidemark }) => [view, result, tidemark])).toEqual([
    ['service_minute', 'published', { 0: 2 }],
    ['host_minute', 'published', { 0: 2 }],
  ])
})

test('what comes after it was asked for, while it goes on, is for the next run', async () => {
  await using rig = await batchRig()
  await rig.send()
  const gate = gateIn(rig.store, 'service_minute/')
  const { ended } = rig.batch.start({ full: false })
  await gate.reached
  await rig.send()
  gate.open()
  await ended
  expect((await rig.published()).tidemark).toBe(0)
  await rig.batch.run({ full: false })
  expect((await rig.published()).tidemark).toBe(1)
})

test('a scheduled run asks for a seal and for no tick', async () => {
  await using rig = await batchRig({ schedule: '*/10 * * * * *' })
  await rig.send()
  await rig.batch.run({ full: false })
  await rig.send()
  await rig.clock.advance(10_000)
  expect(rig.batch.status().last.map(({ result }) => result)).toEqual(['nothing_new', 'nothing_new'])
  expect((await rig.tables().datasets[0]!.messages.snapshot())!.files.size).toBe(2)
  expect((await rig.published()).tidemark).toBe(0)
  // A tick comes when it is due.
  await rig.clock.advance(TICK_MS)
  expect((await rig.published()).tidemark).toBe(1)
})

test('where speed cannot commit a tick, a run says so and goes as far as its ticks do', async () => {
  await using rig = await batchRig()
  await rig.send()
  await rig.batch.run({ full: false })
  await rig.send()
  rig.store.faults = ({ what, key }) => {
    if (what === 'putIfAbsent' && key.startsWith('service_minute_ticks/'))
      throw new TidemarkError('E_DISK_FULL', 'no space left')
  }
  const [service] = await rig.batch.run({ full: false })
  expect(service).toMatchObject({ view: 'service_minute', result: 'nothing_new', tidemark: { 0: 0 } })
  expect(rig.lines.join('\n')).toMatch(/the run may lack the newest messages: no space left/)
})

test('a run tells what it does, and how far it is', async () => {
  await using rig = await batchRig()
  await rig.send()
  const { run, ended } = rig.batch.start({ full: false })
  const steps = [
    ['service_minute_ticks/', 'tick', null],
    ['messages/', 'seal', null],
    ['service_minute/date=', 'compute', { done: 0, total: 1 }],
    ['service_minute/_delta_log/', 'publish', { done: 1, total: 1 }],
    ['host_minute/date=', 'compute', { done: 1, total: 2 }],
    ['runs/', 'record', { done: 2, total: 2 }],
  ] as const
  for (const [prefix, stage, progress] of steps) {
    const gate = gateIn(rig.store, prefix)
    await gate.reached
    expect(await rig.batch.find(run)).toMatchObject({ state: 'running', stage, progress })
    gate.open()
  }
  await ended
  expect(await rig.batch.find(run)).toMatchObject({ state: 'ended', stage: null, progress: null })
  expect(await rig.batch.find('none')).toBe(null)
})

test('nobody who asked for a run waits for the clean-up of tables', async () => {
  await using rig = await batchRig()
  await rig.send()
  const { promise: released, resolve: release } = Promise.withResolvers<void>()
  let waits = false
  rig.store.faults = ({ what, key }) => {
    if (what !== 'list' || key !== 'service_minute/') return
    waits = true
    return released
  }
  expect((await rig.batch.run({ full: false }))[0]!.result).toBe('published')
  await expect.poll(() => waits).toBe(true)
  release()
})
