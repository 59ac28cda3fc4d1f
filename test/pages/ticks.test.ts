import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ticksOf } from '../../pages/charts/ticks.ts'
import { isZone } from '../../pages/time/zone.ts'

const texts = (from: string, to: string, zone: string) =>
  ticksOf(Date.parse(from), Date.parse(to), zone).map(({ text }) => text)

test('marks of a day are hours, and say the date where it changes', () => {
  expect(texts('2026-11-26T15:30:00Z', '2026-11-27T15:30:00Z', 'UTC')).toEqual([
    ...['18:00', '21:00', 'Fri 27 Nov', '03:00', '06:00', '09:00', '12:00', '15:00'],
  ])
})

test('a date that begins with the range is said', () => {
  expect(texts('2026-11-24', '2026-11-27', 'UTC')[0]).toBe('Tue 24 Nov')
})

test('marks of a week are midnights of the zone', () => {
  const [first, second] = ticksOf(
    Date.parse('2026-11-20T12:00:00Z'),
    Date.parse('2026-11-27T12:00:00Z'),
    'Asia/Tokyo',
  )
  expect([first!.text, second!.text]).toEqual(['Sat 21 Nov', 'Sun 22 Nov'])
  expect(first!.at).toBeCloseTo(3 / 168)
})

test('longer ranges have weeks, months and years', () => {
  expect(texts('2026-10-20T12:00:00Z', '2026-11-27T12:00:00Z', 'UTC')[0]).toBe('Mon 26 Oct')
  expect(texts('2026-05-20T12:00:00Z', '2026-11-27T12:00:00Z', 'UTC')[0]).toBe('Jun 2026')
  expect(texts('2020-05-20T12:00:00Z', '2026-11-27T12:00:00Z', 'UTC')[0]).toBe('2021')
})

test('marks are few, in order, and within the range', () => {
  const zones = Intl.supportedValuesOf('timeZone').filter(isZone)
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 2_000_000_000 }),
      fc.integer({ min: 600, max: 100_000_000 }),
      fc.constantFrom(...zones),
      (from, length, zone) => {
        const at = ticksOf(from * 1_000, (from + length) * 1_000, zone).map((tick) => tick.at)
        expect(at.length).toBeGreaterThan(0)
        expect(at.length).toBeLessThan(14)
        for (const [i, one] of at.entries()) {
          expect(one).toBeGreaterThanOrEqual(i === 0 ? 0 : at[i - 1]!)
          expect(one).toBeLessThan(1)
        }
      },
    ),
  )
})
