import { expect, test } from 'vitest'
import { everyMultiple } from '../../agent/grid.ts'
import type { Clock } from '../../schemas/ports/clock.ts'
import { SimClock } from '../sim/clock.ts'

/** Notes when it was called. */
function noting(clock: Clock) {
  const times: number[] = []
  const note = async () => void times.push(clock.nowMs())
  return { times, note }
}

test('calls fall on multiples of the interval, whenever it was started', async () => {
  const clock = new SimClock(1_234)
  const { times, note } = noting(clock)
  const stop = everyMultiple(clock, 500, note)
  await clock.advance(1_500)
  stop()
  await clock.advance(1_500)
  expect([times, clock.pending]).toEqual([[1_500, 2_000, 2_500], 0])
})

test('a timer that fires early does not make a multiple count twice', async () => {
  const clock = new SimClock(0)
  const early: Clock = { nowMs: () => clock.nowMs(), after: (ms, fn) => clock.after(ms - 1, fn) }
  const { times, note } = noting(clock)
  const stop = everyMultiple(early, 500, note)
  await clock.advance(2_100)
  stop()
  expect(times).toEqual([499, 999, 1_499, 1_999])
})

test('multiples pass unused while a call is going on', async () => {
  const clock = new SimClock(0)
  const { times, note } = noting(clock)
  const stop = everyMultiple(clock, 500, async () => {
    await note()
    await new Promise<void>((resolve) => void clock.after(1_100, resolve))
  })
  await clock.advance(3_100)
  stop()
  expect(times).toEqual([500, 2_000])
})

test('a clock set back is followed', async () => {
  const clock = new SimClock(10_000)
  const { times, note } = noting(clock)
  const stop = everyMultiple(clock, 500, note)
  await clock.advance(500)
  clock.step(-5_000)
  await clock.advance(6_000)
  stop()
  expect(times.slice(0, 1)).toEqual([10_500])
  expect(times.length).toBeGreaterThan(1)
})
