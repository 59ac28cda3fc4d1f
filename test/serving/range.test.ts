import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseRange } from '../../serving/range.ts'

const NOW_MS = Date.UTC(2026, 10, 22, 12, 34, 56, 789)
const at = (from: string, to: string, tz?: string, lastDayIncluded = false) => {
  const { fromMs, toMs } = parseRange({ from, to, tz }, NOW_MS, { lastDayIncluded })
  return [new Date(fromMs).toISOString(), new Date(toMs).toISOString()]
}

test('without both ends it is the last 24 hours, the running minute included', () => {
  const { fromMs, toMs } = parseRange({}, NOW_MS)
  expect(new Date(toMs).toISOString()).toBe('2026-11-22T12:35:00.000Z')
  expect(toMs - fromMs).toBe(86_400_000)
})

test('a range is rounded outward to whole minutes', () => {
  expect(at('2026-11-22T10:00:30Z', '2026-11-22T10:01:00.001Z')).toEqual([
    '2026-11-22T10:00:00.000Z',
    '2026-11-22T10:02:00.000Z',
  ])
})

test('a date is midnight in the zone, also when the clocks change', () => {
  expect(at('2026-03-29', '2026-03-30', 'Europe/Berlin')).toEqual([
    '2026-03-28T23:00:00.000Z',
    '2026-03-29T22:00:00.000Z',
  ])
  // Midnight does not exist there on that day: the day begins at one.
  expect(at('2024-04-26', '2024-04-27', 'Africa/Cairo')[0]).toBe('2024-04-25T22:00:00.000Z')
  expect(at('2026-10-25', '2026-10-25', 'Europe/Berlin', true)).toEqual([
    '2026-10-24T22:00:00.000Z',
    '2026-10-25T23:00:00.000Z',
  ])
})

test('the last day of a page is included over month and year ends', () => {
  expect(at('2026-12-31', '2026-12-31', 'UTC', true)).toEqual([
    '2026-12-31T00:00:00.000Z',
    '2027-01-01T00:00:00.000Z',
  ])
  expect(at('2028-02-28', '2028-02-29', 'UTC', true)[1]).toBe('2028-03-01T00:00:00.000Z')
})

test('zones of times are heeded, also when the plus was not encoded', () => {
  const want = ['2026-11-22T09:00:00.000Z', '2026-11-22T10:00:00.000Z']
  expect(at('2026-11-22T10:00:00+01:00', '2026-11-22T11:00:00+01:00')).toEqual(want)
  expect(at('2026-11-22T10:00:00 01:00', '2026-11-22T11:00:00 0100')).toEqual(want)
  expect(at('2026-11-22T10:00', '2026-11-22T11:00', 'Europe/Berlin')).toEqual(want)
  expect(at(String(Date.parse(want[0]!)), String(Date.parse(want[1]!)))).toEqual(want)
})

test('any range of whole minutes in milliseconds is itself', () => {
  fc.assert(
    fc.property(fc.integer({ min: -1e6, max: 1e8 }), fc.integer({ min: 1, max: 1e6 }), (start, length) => {
      const range = { fromMs: start * 60_000, toMs: (start + length) * 60_000 }
      // Eight digits look like a date.
      for (const ms of [range.fromMs, range.toMs]) fc.pre(!/^\d{8}$/.test(String(ms)))
      expect(parseRange({ from: String(range.fromMs), to: String(range.toMs) }, NOW_MS)).toEqual(range)
    }),
  )
})
