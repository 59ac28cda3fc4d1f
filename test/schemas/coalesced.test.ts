import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Coalesced } from '../../schemas/coalesced.ts'
import { SimClock } from '../sim/clock.ts'
import { workshop } from './workshop.ts'

test('the first that asks begins at once; those that ask meanwhile share one run behind it', async () => {
  const { begun, work, settled } = workshop<number>()
  const coalesced = new Coalesced(work)
  const first = coalesced.run()
  expect(begun.length).toBe(1)
  const shared = [coalesced.run(), coalesced.run()]
  await settled()
  expect(begun.length).toBe(1)
  begun[0]!.resolve(1)
  expect(await first).toBe(1)
  await settled()
  expect(begun.length).toBe(2)
  const last = coalesced.run()
  begun[1]!.resolve(2)
  expect(await Promise.all(shared)).toEqual([2, 2])
  await settled()
  begun[2]!.resolve(3)
  expect(await last).toBe(3)
})

test('every run begins after it was asked for, one at a time, and never more than one waits', async () => {
  const step = fc.record({ asks: fc.nat(4), waits: fc.nat(3), takes: fc.nat(3), fails: fc.boolean() })
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 20 }), async (steps) => {
      let clock = 0
      let running = 0
      let runs = 0
      const at = { takes: 0, fails: false }
      const coalesced = new Coalesced(async () => {
        const began = ++clock
        const { takes, fails } = at
        runs += 1
        running += 1
        expect(running).toBe(1)
        for (let i = 0; i < takes; i++) await Promise.resolve()
        running -= 1
        if (fails) throw new Error('no')
        return began
      })
      const asked: Promise<unknown>[] = []
      let asks = 0
      for (const { asks: count, waits, takes, fails } of steps) {
        Object.assign(at, { takes, fails })
        for (let i = 0; i < count; i++) {
          const askedAt = ++clock
          asks += 1
          const began = coalesced.run().catch(() => Number.POSITIVE_INFINITY)
          asked.push(began.then((time) => expect(time).toBeGreaterThan(askedAt)))
        }
        for (let i = 0; i < waits; i++) await Promise.resolve()
      }
      await Promise.all(asked)
      expect(runs).toBeLessThanOrEqual(asks)
      expect(runs > 0).toBe(asks > 0)
    }),
  )
})

test('a failure reaches who asked for that run alone, and is said once until one succeeds', async () => {
  const { begun, work, settled } = workshop<void>()
  const said: string[] = []
  const coalesced = new Coalesced(work, { say: (reason) => void said.push(reason) })
  for (const ending of ['no', 'still no', null, 'no again']) {
    const run = coalesced.run()
    if (ending === null) begun.at(-1)!.resolve()
    else begun.at(-1)!.reject(new Error(ending))
    if (ending === null) await run
    else await expect(run).rejects.toThrow(ending)
    expect(coalesced.failing).toBe(ending)
    await settled()
  }
  expect(said).toEqual(['no', 'no again'])
})

test('what failed is tried again after its time, and no more once it was done', async () => {
  const clock = new SimClock(0)
  let failures = 2
  let runs = 0
  const coalesced = new Coalesced(
    async () => {
      runs += 1
      if (failures-- > 0) throw new Error('no')
    },
    { retry: { clock, ms: 1_000 } },
  )
  await coalesced.kick()
  await clock.advance(999)
  expect(runs).toBe(1)
  await clock.advance(1)
  expect([runs, coalesced.failing]).toEqual([2, 'no'])
  await coalesced.run()
  await clock.advance(10_000)
  expect([runs, coalesced.failing, clock.pending]).toEqual([3, null, 0])
})

test('the end waits for the run that is going on, and none begins after it, asked for before or later', async () => {
  const clock = new SimClock(0)
  const { begun, work, settled } = workshop<void>()
  const said: string[] = []
  const coalesced = new Coalesced(work, { say: (reason) => void said.push(reason), retry: { clock, ms: 1 } })
  const going = expect(coalesced.run()).rejects.toThrow('cut off')
  const waiting = expect(coalesced.run()).rejects.toMatchObject({ code: 'E_CLOSED' })
  let ended = false
  const end = coalesced.close().then(() => {
    ended = true
  })
  await settled()
  expect(ended).toBe(false)
  begun[0]!.reject(new Error('cut off'))
  await Promise.all([going, waiting, end])
  await expect(coalesced.run()).rejects.toMatchObject({ code: 'E_CLOSED' })
  await coalesced.kick()
  expect([begun.length, said, clock.pending]).toEqual([1, [], 0])
})
