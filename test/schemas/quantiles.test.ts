import fc from 'fast-check'
import { expect, test } from 'vitest'
import { CellFold } from '../../schemas/cell-fold.ts'
import { host } from '../../schemas/datasets/host.ts'
import { answerFields, answersOf } from '../../schemas/gauge-answer.ts'
import { bucketOf, middleOf } from '../../schemas/measures/buckets.ts'
import { toColumns } from '../../schemas/message.ts'
import { serviceMinute } from '../../schemas/views/service-minute.ts'

const SMALLEST_NORMAL = 2 ** -1022

test('a bucket says exponent and six bits of the mantissa, negatives mirrored', () => {
  expect([0, 1, 1.999, 2, 2.0313, 0.5, -1, SMALLEST_NORMAL].map(bucketOf)).toEqual([
    0,
    1023 * 64,
    1023 * 64 + 63,
    1024 * 64,
    1024 * 64 + 1,
    1022 * 64,
    -1023 * 64,
    64,
  ])
  expect([Number.MIN_VALUE, -SMALLEST_NORMAL / 2].map(bucketOf)).toEqual([0, 0])
})

test('the middle of a bucket is less than 0.8 % away from its values', () => {
  fc.assert(
    fc.property(fc.double({ min: SMALLEST_NORMAL, max: 1e300, noNaN: true }), (value) => {
      expect(Math.abs(middleOf(bucketOf(value)) / value - 1)).toBeLessThan(0.008)
      expect(middleOf(bucketOf(-value))).toBe(-middleOf(bucketOf(value)))
    }),
  )
})

test('percentiles are within 1 % of those of the sorted values', () => {
  const values = fc.array(
    fc.double({ min: 0, max: 1e6, noNaN: true }).map((x) => (x < 1e-300 ? 0 : x)),
    {
      minLength: 1,
      maxLength: 200,
    },
  )
  fc.assert(
    fc.property(values, (cpu) => {
      const fold = new CellFold(serviceMinute)
      fold.addAll(
        toColumns(
          host,
          cpu.map((value) => ({
            names: ['a', 'h'],
            timeMs: 0,
            gauges: [value, 1, 1],
            agent: null,
            seq: null,
          })),
        ),
      )
      const names = answerFields(serviceMinute, 0).map(({ name }) => name)
      const answer = answersOf(fold.cells(), 0)[0]!
      const sorted = Float64Array.from(cpu).sort()
      for (const p of [50, 95, 99]) {
        const exact = sorted[Math.max(1, Math.ceil((p * cpu.length) / 100)) - 1]!
        const got = answer[names.indexOf(`p${p}`)] as number
        expect(Math.abs(got - exact)).toBeLessThanOrEqual(0.01 * exact)
      }
    }),
  )
})
