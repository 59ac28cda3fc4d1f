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

test('times that the clocks skip mean the moment of the change, times shown twice the first', () => {
  const berlin = (from: string, to: string) => at(`2026-${from}`, `2026-${to}`, 'Europe/Berlin')
  const change = '2026-03-29T01:00:00.000Z'
  expect(berlin('03-29T02:15', '03-29T02:45')).toEqual([change, change])
  expect(berlin('03-29T02:30', '03-29T03:00')).toEqual([change, change])
  expect(berlin('03-29T01:59', '03-29T03:01')).toEqual([
    '2026-03-29T00:59:00.000Z',
    '2026-03-29T01:01:00.000Z',
  ])
  expect(berlin('10-25T02:30', '10-25T03:00')).toEqual([
    '2026-10-25T00:30:00.000Z',
    '2026-10-25T02:00:00.000Z',
  ])
  expect(at('2026-10-25T02:30+01', '2026-10-25T03:00+01:00', 'Europe/Berlin')).toEqual([
    '2026-10-25T01:30:00.000Z',
    '2026-10-25T02:00:00.000Z',
  ])
})

test('a date that was skipped as a whole is empty', () => {
  const change = '2011-12-30T10:00:00.000Z'
  expect(at('2011-12-30', '2011-12-30', 'Pacific/Apia', true)).toEqual([change, change])
  expect(at('2011-12-29', '2011-12-31', 'Pacific/Apia', true)).toEqual([
    '2011-12-29T10:00:00.000Z',
    '2011-12-31T10:00:00.000Z',
  ])
})

const ZONES = [
  'UTC',
  'Europe/Berlin',
  'Africa/Cairo',
  'Pacific/Apia',
  'America/Havana',
  'Australia/Lord_Howe',
  'Africa/Casablanca',
]

test('times of a zone keep their order, whatever its clocks do', () => {
  const hours = fc.integer({ min: Date.UTC(2011, 0) / 900_000, max: Date.UTC(2027, 0) / 900_000 })
  const changes = [
    Date.UTC(2011, 11, 30, 10),
    Date.UTC(2026, 2, 29, 1),
    Date.UTC(2026, 9, 25, 1),
    Date.UTC(2024, 3, 25, 22),
  ]
  const near = fc
    .tuple(fc.constantFrom(...changes), fc.integer({ min: -160, max: 160 }))
    .map(([ms, n]) => ms / 900_000 + n)
  const wall = fc.oneof(hours, near).map((quarter) => new Date(quarter * 900_000).toISOString().slice(0, 16))
  fc.assert(
    fc.property(fc.constantFrom(...ZONES), wall, wall, (zone, a, b) => {
      const [from, to] = a < b ? [a, b] : [b, a]
      const range = at(from, to, zone)
      expect(range[0]! <= range[1]!).toBe(true)
    }),
    { numRuns: 2_000 },
  )
})

test('offsets may be hours alone, and a leap second belongs to its minute', () => {
  const want = ['2026-11-22T09:00:00.000Z', '2026-11-22T10:00:00.000Z']
  expect(at('2026-11-22T10:00+01', '2026-11-22T11:00 01')).toEqual(want)
  expect(at('2026-11-22T100000+01', '2026-11-22T1100Z')).toEqual([
    '2026-11-22T09:00:00.000Z',
    '2026-11-22T11:00:00.000Z',
  ])
  expect(at('2016-12-31T23:00Z', '2017-01-01T00:59:60.5+01')).toEqual([
    '2016-12-31T23:00:00.000Z',
    '2017-01-01T00:00:00.000Z',
  ])
  expect(at('2017-01-01T00:59:60', '2017-01-01T01:00', 'Europe/Berlin')[0]).toBe('2016-12-31T23:59:00.000Z')
  for (const wrong of [
    '2016-12-31T23:58:60Z',
    '2016-12-31T23:59:60+01:00',
    '2016-12-31T23:59:61Z',
    '2026-11-22T10',
    '2026-11-22T25:00Z',
  ])
    expect(() => at(wrong, '2027-01-01'), wrong).toThrow('must be ISO 8601')
})

test('the year 9999 ends with its last millisecond, the year 0 begins with its first', () => {
  expect(at('9999-12-31T23:59:59Z', '9999-12-31T23:59:59.5Z')).toEqual([
    '9999-12-31T23:59:00.000Z',
    '9999-12-31T23:59:59.999Z',
  ])
  for (const zone of ['UTC', 'Asia/Tokyo', 'America/Los_Angeles'])
    expect(at('0000-01-01', '9999-12-31', zone, true)).toEqual([
      zone === 'America/Los_Angeles' ? expect.stringMatching(/^0000-01-01T/) : '0000-01-01T00:00:00.000Z',
      zone === 'Asia/Tokyo' ? '9999-12-31T15:00:00.000Z' : '9999-12-31T23:59:59.999Z',
    ])
  for (const wrong of ['-62167219200001', '253402300800000', '+010000-01-01T00:00Z', '10000-01-01'])
    expect(() => at(wrong, '9999-12-31'), wrong).toThrow('must be ISO 8601')
})

test('eight digits are refused: they look like a date, and would be a morning in 1970', () => {
  expect(() => at('20261126', '20261127')).toThrow('from must have dashes where it is a date: 2026-11-26')
})

test('what cannot be seen is shown escaped, and what is long shortened', () => {
  expect(() => at('\u202e2026', '2027-01-01')).toThrow('not "\\u202e2026"')
  expect(() => at('2026-01-01', '2027-01-01', 'x'.repeat(5_000))).toThrow(/not "x{30,50}…$/)
})
