import { expect, test } from 'vitest'
import { TidemarkError } from '../../schemas/errors.ts'
import { batchRig, gateIn } from './rig.ts'

test('a run that is cancelled publishes nothing and is recorded so', async () => {
  await using rig = await batchRig()
  await rig.send()
  const gate = gateIn(rig.store, 'service_minute/date=')
  const { run, ended } = rig.batch.start({ full: false })
  await gate.reached
  expect([rig.batch.cancel('another'), rig.batch.cancel(run)]).toEqual([false, true])
  gate.open()
  const results = (await ended).map(({ view, result, viewVersion }) => [view, result, viewVersion])
  expect(results).toEqual([
    ['service_minute', 'cancelled', null],
    ['host_minute', 'cancelled', null],
  ])
  expect((await rig.published()).tidemark).toBe(null)
  expect((await rig.batch.runs()).map(({ run: id, result, error }) => [id, result, error])).toEqual(
    Array(2).fill([run, 'cancelled', null]),
  )
  expect(rig.batch.cancel(run)).toBe(false)
  expect((await rig.batch.run({ full: false }))[0]!.result).toBe('published')
})

test('it ends at once although the lake does not answer', async () => {
  await using rig = await batchRig()
  await rig.send()
  for (const prefix of ['service_minute_ticks/', 'messages/']) {
    const gate = gateIn(rig.store, prefix)
    const { run, ended } = rig.batch.start({ full: false })
    await gate.reached
    rig.batch.cancel(run)
    expect((await ended).map(({ result }) => result)).toEqual(['cancelled', 'cancelled'])
    gate.open()
  }
})

test('a view that fails is recorded so, and the others are published', async () => {
  await using rig = await batchRig()
  await rig.send()
  rig.store.faults = ({ what, key }) => {
    if (what === 'putIfAbsent' && key.startsWith('service_minute/date='))
      throw new TidemarkError('E_DISK_FULL', 'no space left')
  }
  const want = [
    ['service_minute', 'failed', 'no space left (E_DISK_FULL)'],
    ['host_minute', 'published', null],
  ]
  const told = (await rig.batch.run({ full: false })).map(({ view, result, error }) => [view, result, error])
  expect(told).toEqual(want)
  const recorded = (await rig.batch.runs()).map(({ view, result, error }) => [view, result, error])
  expect(recorded).toEqual(want)
  expect((await rig.published(rig.views.byHost)).tidemark).toBe(0)
})

test('a process that stops ends its run, and leaves no record', async () => {
  await using rig = await batchRig()
  await rig.send()
  const gate = gateIn(rig.store, 'service_minute/date=')
  const { ended } = rig.batch.start({ full: false })
  await gate.reached
  const closed = rig.batch.close()
  gate.open()
  await closed
  expect((await ended).map(({ result }) => result)).toEqual(['failed', 'failed'])
  expect(await rig.batch.runs()).toEqual([])
  expect(() => rig.batch.start({ full: false })).toThrow('the batch layer is closed')
})
