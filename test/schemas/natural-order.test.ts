import fc from 'fast-check'
import { expect, test } from 'vitest'
import { compareNaturally } from '../../schemas/natural-order.ts'

test('numbers in names count by their value', () => {
  const sorted = [
    '',
    '2',
    '10',
    'a',
    'service',
    'service-2',
    'service-02',
    'service-10',
    'service-10-a9',
    'service-10-a10',
    'service-99999999999999999999',
    'service-100000000000000000000',
    'web',
    'ü',
  ]
  expect([...sorted].reverse().sort(compareNaturally)).toEqual(sorted)
})

test('it is an order: only equal names compare equal, and no three go round', () => {
  const name = fc.string({ unit: fc.constantFrom('0', '1', '9', 'a', '-', 'ü'), maxLength: 8 })
  fc.assert(
    fc.property(name, name, name, (a, b, c) => {
      const order = (x: string, y: string) => Math.sign(compareNaturally(x, y))
      expect(order(a, b) === 0).toBe(a === b)
      expect(order(a, b) + order(b, a)).toBe(0)
      if (order(a, b) <= 0 && order(b, c) <= 0) expect(order(a, c)).toBeLessThanOrEqual(0)
    }),
    { numRuns: 2_000 },
  )
})
