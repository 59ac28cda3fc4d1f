import { expect, test } from 'vitest'
import { Load, measured, type Worked } from '../../../agent/gauges/load.ts'
import { SimClock } from '../../sim/clock.ts'

/** A load that is measured at these moments, the first when it is made. */
function loads([first, ...moments]: readonly Worked[]): number[] {
  const load = new Load(first!)
  return moments.map((moment) => load.until(moment))
}

test('the load is what was done since the time before', () => {
  const moments = [
    { busyMs: 10_000, allMs: 40_000 },
    { busyMs: 10_500, allMs: 42_000 },
    { busyMs: 12_500, allMs: 44_000 },
    { busyMs: 12_500, allMs: 46_000 },
  ]
  expect(loads(moments)).toEqual([25, 100, 0])
})

test('too short a time says nothing new, and is part of the next', () => {
  const moments = [
    { busyMs: 0, allMs: 0 },
    { busyMs: 100, allMs: 100 },
    { busyMs: 500, allMs: 1_000 },
    { busyMs: 510, allMs: 1_010 },
    { busyMs: 600, allMs: 1_500 },
  ]
  expect(loads(moments)).toEqual([Number.NaN, 50, 50, 20])
})

test('a core that is taken away does no harm', () => {
  const moments = [
    { busyMs: 1_000, allMs: 8_000 },
    { busyMs: 2_000, allMs: 10_000 },
    { busyMs: 500, allMs: 4_000 },
    { busyMs: 1_500, allMs: 5_000 },
  ]
  expect(loads(moments)).toEqual([50, 50, 100])
})

test('counters that disagree by a tick are no load above 100 or below 0', () => {
  const moments = [
    { busyMs: 1_000, allMs: 1_000 },
    { busyMs: 2_010, allMs: 2_000 },
    { busyMs: 2_000, allMs: 3_000 },
  ]
  expect(loads(moments)).toEqual([100, 0])
})

test('the very first load is waited for; counters that stand still are an error', async () => {
  const clock = new SimClock(0)
  const load = new Load({ busyMs: 0, allMs: 0 })
  const first = measured(clock, async () => [load.until({ busyMs: clock.nowMs() / 2, allMs: clock.nowMs() })])
  await clock.advance(200)
  expect(await first).toEqual([50])
  const still = measured(clock, async () => [Number.NaN])
  const failed = expect(still).rejects.toMatchObject({ code: 'E_SAMPLE' })
  await clock.advance(200)
  await failed
})
