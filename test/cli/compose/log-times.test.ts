import { expect, test } from 'vitest'
import { LogTimes } from '../../../cli/compose/log-times.ts'
import { SimClock } from '../../sim/clock.ts'

test('the lag of a position is the age of the first block behind it', async () => {
  const clock = new SimClock(1_000_000)
  let end = 9
  let appended = () => {}
  const log = {
    end: () => end,
    onAppend(fn: () => void) {
      appended = fn
      return () => {}
    },
  }
  const times = new LogTimes(log, 0, clock)
  expect([times.lagMs(9), times.lagMs(3)]).toEqual([0, 0])
  for (let i = 0; i < 60; i++) {
    await clock.advance(500)
    end += 1
    appended()
  }
  // Blocks 10 to 69, two a second, noted to the second.
  expect([times.lagMs(69), times.lagMs(68), times.lagMs(49)]).toEqual([0, 500, 9_500])
  await clock.advance(5_000)
  expect([times.lagMs(69), times.lagMs(68), times.lagMs(3)]).toEqual([0, 5_500, 35_000])
})
