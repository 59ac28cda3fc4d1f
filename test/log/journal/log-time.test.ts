import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { LOG_TIME_AHEAD_MS_MAX, LogTime } from '../../../log/journal/log-time.ts'
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../../schemas/time.ts'
import { SimClock } from '../../sim/clock.ts'
import { SimDisk } from '../../sim/disk.ts'
import { block, openOn, START_MS } from './samples.ts'

test('log time is what the clock says, and stands still while that is behind', async () => {
  const clock = new SimClock(START_MS)
  const time = new LogTime(clock, 0)
  expect(time.next()).toBe(START_MS)
  clock.step(-MINUTE_MS)
  expect(time.next()).toBe(START_MS)
  await clock.advance(2 * MINUTE_MS)
  expect(time.next()).toBe(START_MS + MINUTE_MS)
  time.close()
  expect(clock.pending).toBe(0)
})

test('what a right clock shows at least is known where nothing is appended, and log time goes back with the clock', async () => {
  const clock = new SimClock(START_MS)
  const time = new LogTime(clock, 0)
  await clock.advance(3 * HOUR_MS)
  clock.step(-HOUR_MS)
  expect([time.leastMs(), time.next()]).toEqual([START_MS + 3 * HOUR_MS, START_MS + 2 * HOUR_MS])
})

test('after days without a block it is what the clock says', async () => {
  const clock = new SimClock(START_MS)
  const time = new LogTime(clock, 0)
  await clock.advance(3 * DAY_MS)
  expect(time.next()).toBe(START_MS + 3 * DAY_MS)
})

test('a leap ahead is followed by ten minutes, and believed when it has stood for as long', async () => {
  const clock = new SimClock(START_MS)
  const time = new LogTime(clock, 0)
  clock.step(DAY_MS)
  expect(time.next()).toBe(START_MS + LOG_TIME_AHEAD_MS_MAX)
  await clock.advance(LOG_TIME_AHEAD_MS_MAX - MINUTE_MS)
  expect(time.next()).toBeLessThan(START_MS + DAY_MS)
  await clock.advance(2 * MINUTE_MS)
  expect(time.next()).toBe(clock.nowMs())
})

const passing = fc.oneof(fc.nat(5 * MINUTE_MS), fc.nat(120 * MINUTE_MS))

test('whatever the clock does, log time never goes back, and moves no further than to what the clock says', async () => {
  const happens = fc.record({ passes: passing, step: fc.integer({ min: -100 * DAY_MS, max: 100 * DAY_MS }) })
  await fc.assert(
    fc.asyncProperty(fc.array(happens, { maxLength: 12 }), async (all) => {
      const clock = new SimClock(START_MS)
      const time = new LogTime(clock, 0)
      let last = time.next()
      for (const { passes, step } of all) {
        await clock.advance(passes)
        clock.step(step)
        const next = time.next()
        expect(next === last || (next > last && next <= clock.nowMs())).toBe(true)
        last = next
      }
    }),
    { numRuns: 50 },
  )
})

test('a leap ahead that is taken back within nine minutes leaves log time ten minutes ahead at most', async () => {
  const blocks = fc.array(fc.nat(MINUTE_MS), { minLength: 1, maxLength: 9 })
  await fc.assert(
    fc.asyncProperty(passing, fc.nat(100 * DAY_MS), blocks, async (before, leap, pauses) => {
      const clock = new SimClock(START_MS)
      const time = new LogTime(clock, 0)
      await clock.advance(before)
      clock.step(leap)
      for (const pause of pauses) {
        time.next()
        await clock.advance(pause)
      }
      clock.step(-leap)
      expect(time.next()).toBeLessThanOrEqual(clock.nowMs() + LOG_TIME_AHEAD_MS_MAX)
    }),
  )
})

test('one block while the clock is months ahead makes no agent forgotten, and log time is near the clock again', async () => {
  const clock = new SimClock(START_MS)
  const log = await openOn(new SimDisk(1), { clock, segmentBytesMax: 600 })
  await log.append(0, block('known', 7))
  clock.step(91 * DAY_MS)
  await log.append(0, block('a', 1))
  clock.step(-91 * DAY_MS)
  for (let i = 2; i <= 20; i++) await log.append(0, block('a', i))
  expect(log.state().segments).toBeGreaterThan(5)
  expect(log.senders.highestSeq('known')).toBe(7)
  const times = (await log.read(0, 0, 100)).blocks.map(({ logTimeMs }) => logTimeMs)
  expect(times).toEqual(times.toSorted((a, b) => a - b))
  expect(Math.max(...times)).toBeLessThanOrEqual(clock.nowMs() + LOG_TIME_AHEAD_MS_MAX)
})
