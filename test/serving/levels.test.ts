import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { coarsestWithin, planRanges } from '../../serving/index/levels.ts'

const BUCKET_MS = [60_000, 3_600_000, 86_400_000]

test('a range is covered exactly, by buckets that lie wholly in it, and by few of them', () => {
  fc.assert(
    fc.property(fc.integer({ min: -1e5, max: 1e6 }), fc.integer({ min: 1, max: 1e6 }), (start, minutes) => {
      const fromMs = start * 60_000
      const toMs = fromMs + minutes * 60_000
      const plan = planRanges(fromMs, toMs)
      let at = fromMs
      let buckets = 0
      for (const range of plan) {
        expect(range.fromMs).toBe(at)
        expect([
          Math.abs(range.fromMs % BUCKET_MS[range.level]!),
          Math.abs(range.toMs % BUCKET_MS[range.level]!),
        ]).toEqual([0, 0])
        buckets += (range.toMs - range.fromMs) / BUCKET_MS[range.level]!
        at = range.toMs
      }
      expect(at).toBe(toMs)
      expect(buckets).toBeLessThanOrEqual(2 * 59 + 2 * 23 + minutes / 1_440)
    }),
  )
})

test('a step is read from the coarsest level that fits into it', () => {
  expect([60_000, 1_800_000, 3_600_000, 7_200_000, 86_400_000].map(coarsestWithin)).toEqual([0, 0, 1, 1, 2])
})
