import { setTimeout as wait } from 'node:timers/promises'
import si from 'systeminformation'
import { expect, test } from 'vitest'
import { type CoreTimes, cpuLoad } from '../../agent/cpu-load.ts'

/** A load that is measured at these moments, the first when it is made. */
function loads(moments: readonly CoreTimes[]): number[] {
  const left = [...moments]
  const load = cpuLoad(() => left.shift()!)
  return moments.slice(1).map(() => load())
}

test('the load is what the cores did since the time before', () => {
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
    { busyMs: 500, allMs: 1_000 },
    { busyMs: 510, allMs: 1_010 },
    { busyMs: 600, allMs: 1_500 },
  ]
  expect(loads(moments)).toEqual([50, 50, 20])
})

test('a core that is taken away does no harm', () => {
  const moments = [
    { busyMs: 1_000, allMs: 8_000 },
    { busyMs: 500, allMs: 4_000 },
    { busyMs: 1_500, allMs: 5_000 },
  ]
  expect(loads(moments)).toEqual([0, 100])
})

test("it is systeminformation's load", async () => {
  await si.currentLoad()
  const load = cpuLoad()
  await wait(500)
  const ours = load()
  const { currentLoad } = await si.currentLoad()
  expect(Math.abs(ours - currentLoad)).toBeLessThan(10)
})
