import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  covers,
  highest,
  lowest,
  mergeGaps,
  offsetIn,
  type Position,
  samePosition,
} from '../../schemas/position.ts'

const position: fc.Arbitrary<Position> = fc.dictionary(
  fc.constantFrom('0', '1', '2'),
  fc.integer({ min: -1, max: 9 }),
)

test('lowest and highest bound every position', () => {
  fc.assert(
    fc.property(position, position, (a, b) => {
      expect(covers(a, lowest(a, b)) && covers(b, lowest(a, b))).toBe(true)
      expect(covers(highest(a, b), a) && covers(highest(a, b), b)).toBe(true)
      expect(samePosition(lowest(a, b), lowest(b, a))).toBe(true)
    }),
  )
})

test('a partition that is not named stands at its beginning', () => {
  expect([offsetIn({}, 3), covers({}, { 3: -1 }), covers({}, { 3: 0 })]).toEqual([-1, true, false])
})

test('gaps are listed once, in log order', () => {
  const gap = (from: number) => ({ partition: 0, from, to: from + 1, fromMs: 0, toMs: 1, reason: 'r' })
  expect(mergeGaps([gap(5)], [gap(2), gap(5)]).map(({ from }) => from)).toEqual([2, 5])
})
