import { expect, test } from 'vitest'
import { Rate } from '../../collector/intake/rate.ts'

const START_MS = 1_000_000_000

test('a rate is the mean of the last ten whole seconds', () => {
  const rate = new Rate()
  for (let second = 0; second < 30; second++) rate.add(50, START_MS + second * 1000)
  expect(rate.perSecond(START_MS + 30_000)).toBe(50)
  expect(rate.perSecond(START_MS + 35_000)).toBe(25)
  expect(rate.perSecond(START_MS + 60_000)).toBe(0)
})

test('the running second does not count yet, and a clock that steps back begins anew', () => {
  const rate = new Rate()
  rate.add(100, START_MS)
  expect(rate.perSecond(START_MS + 999)).toBe(0)
  expect(rate.perSecond(START_MS + 1000)).toBe(10)
  expect(rate.perSecond(START_MS - 5000)).toBe(0)
})
