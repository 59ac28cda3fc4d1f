import fc from 'fast-check'
import { DateTime } from 'luxon'
import { expect, test } from 'vitest'
import { bucketsOf, fittingStep, STEPS, stepName } from '../../pages/time/buckets.ts'
import {
  narrower,
  neighbour,
  rangeOf,
  rangeParams,
  startOfDay,
  WrongRange,
  wider,
} from '../../pages/time/range.ts'
import { clock, lengthText, rangeText } from '../../pages/time/words.ts'
import { firstInstant, offsetAt } from '../../pages/time/zone.ts'

const ZONES = Intl.supportedValuesOf('timeZone')
const DAY_MS = 86_400_000
const zone = fc.constantFrom(...ZONES)
/** Whole minutes of the years 1970 to 2037. */
const instant = fc
  .integer({ min: 1_440, max: Date.UTC(2037, 11, 31) / 60_000 })
  .map((minutes) => minutes * 60_000)

/** The first instant of a date by luxon: minute by minute where the day does not simply begin. */
function firstOfDate(wall: number, name: string): number {
  const isSame = (ms: number) => wallBy(ms, name) >= wall && wallBy(ms, name) < wall + DAY_MS
  for (let ms = wall - 15 * 3_600_000; ms < wall + 14 * 3_600_000; ms += 15 * 60_000)
    if (isSame(ms)) {
      let first = ms
      while (isSame(first - 1_000)) first -= 1_000
      return first
    }
  // A date that was left out altogether: where its successor begins.
  return firstOfDate(wall + DAY_MS, name)
}
const wallBy = (ms: number, name: string) => ms + DateTime.fromMillis(ms, { zone: name }).offset * 60_000

test('the offset of a zone is the one that luxon finds', () => {
  fc.assert(
    fc.property(zone, instant, (name, ms) => {
      expect(offsetAt(ms, name)).toBe(Math.round(DateTime.fromMillis(ms, { zone: name }).offset * 60_000))
    }),
    { numRuns: 2_000 },
  )
})

test('a day begins at its first instant, in every zone and season', () => {
  fc.assert(
    fc.property(zone, instant, (name, ms) => {
      const wall = Math.floor(wallBy(ms, name) / DAY_MS) * DAY_MS
      expect(firstInstant(wall, name), `${name} ${new Date(wall).toISOString()}`).toBe(
        firstOfDate(wall, name),
      )
    }),
    { numRuns: 300 },
  )
})

test('also on the days on which its clocks change', () => {
  for (const name of ZONES.filter((_, i) => i % 7 === 0)) {
    let before = DateTime.fromMillis(Date.UTC(1972, 0, 1), { zone: name }).offset
    for (let ms = Date.UTC(1972, 0, 2); ms < Date.UTC(2037, 0, 1); ms += 7 * DAY_MS) {
      const { offset } = DateTime.fromMillis(ms, { zone: name })
      if (offset === before) continue
      before = offset
      // The change lies within the week before.
      for (let d = 7; d >= 0; d--) {
        const here = ms - d * DAY_MS
        if (
          DateTime.fromMillis(here, { zone: name }).offset ===
          DateTime.fromMillis(here + DAY_MS, { zone: name }).offset
        )
          continue
        const wall = Math.floor(wallBy(here + DAY_MS / 2, name) / DAY_MS) * DAY_MS
        expect(firstInstant(wall, name), `${name} ${new Date(wall).toISOString()}`).toBe(
          firstOfDate(wall, name),
        )
      }
    }
  }
}, 120_000)

test('buckets cover a range without hole or overlap, and only the first and last are cut', () => {
  fc.assert(
    fc.property(zone, instant, fc.integer({ min: 1, max: 400 * 1_440 }), (name, fromMs, minutes) => {
      const toMs = fromMs + minutes * 60_000
      const step = fittingStep(fromMs, toMs, 40)
      const all = bucketsOf(fromMs, toMs, step, name)
      expect(all[0]!.fromMs).toBe(fromMs)
      expect(all.at(-1)!.toMs).toBe(toMs)
      for (let i = 1; i < all.length; i++) expect(all[i]!.fromMs).toBe(all[i - 1]!.toMs)
      expect(all.slice(1, -1).some(({ partial }) => partial)).toBe(false)
      expect(all.length).toBeLessThanOrEqual(46)
    }),
    { numRuns: 400 },
  )
})

test('days, weeks and months begin where luxon says they do', () => {
  fc.assert(
    fc.property(zone, instant, fc.constantFrom('day', 'week', 'month'), (name, fromMs, unit) => {
      const all = bucketsOf(fromMs, fromMs + 100 * DAY_MS, { unit, count: 1 }, name)
      for (const { fromMs: start } of all.slice(1)) {
        const at = DateTime.fromMillis(wallBy(start, name), { zone: 'UTC' })
        // Where midnight is skipped a day begins with what the clock shows then.
        const floor = at.startOf('day')
        expect(firstOfDate(floor.toMillis(), name)).toBe(start)
        if (unit === 'month') expect(at.day).toBe(1)
        if (unit === 'week') expect(at.weekday).toBe(1)
      }
    }),
    { numRuns: 60 },
  )
}, 60_000)

test('the days of a change have 23 and 25 hours, and the hour that comes twice is two buckets', () => {
  const hours = (date: string, name: string) => {
    const { fromMs, toMs } = rangeOf(new URLSearchParams({ from: date, to: date }), name, 0)
    return bucketsOf(fromMs, toMs, { unit: 'hour', count: 1 }, name)
  }
  for (const [short, long, name] of [
    ['2026-03-29', '2026-10-25', 'Europe/Berlin'],
    ['2026-03-08', '2026-11-01', 'America/New_York'],
    ['2026-09-27', '2026-04-05', 'Pacific/Auckland'],
  ] as const) {
    expect([hours(short, name).length, hours(long, name).length]).toEqual([23, 25])
    const names = hours(long, name).map(({ fromMs }) => clock(fromMs, name))
    expect(new Set(names).size).toBe(25)
  }
  expect(
    hours('2026-10-25', 'Europe/Berlin')
      .slice(1, 5)
      .map(({ fromMs }) => clock(fromMs, 'Europe/Berlin')),
  ).toEqual(['01:00', '02:00 UTC+2', '02:00 UTC+1', '03:00'])
})

test('a range in an address comes back from it', () => {
  fc.assert(
    fc.property(zone, instant, fc.integer({ min: 1, max: 100_000 }), (name, fromMs, minutes) => {
      const range = { fromMs, toMs: fromMs + minutes * 60_000, last: null }
      expect(rangeOf(new URLSearchParams(rangeParams(range, name)), name, 0)).toEqual(range)
    }),
    { numRuns: 300 },
  )
})

test('the end date is included', () => {
  const range = rangeOf(new URLSearchParams({ from: '2026-11-22', to: '2026-11-22' }), 'UTC', 0)
  expect(range.toMs - range.fromMs).toBe(DAY_MS)
  expect(rangeText(range, 'UTC')).toBe('22 Nov 2026')
  expect(startOfDay(range.toMs - 1, 'UTC')).toBe(range.fromMs)
})

test.for([
  [{ from: '2026-02-30', to: '2026-03-01' }, 'no such day'],
  [{ from: '2026-11-23', to: '2026-11-20' }, 'must be after'],
  [{ from: '2026-11-23', to: '2026-11-22' }, 'must be after'],
  [{ from: '2026-11-23' }, '“to” is missing'],
  [{ from: 'yesterday', to: '2026-11-23' }, 'must be a date like'],
  [{ last: 'week' }, 'must be like 15m'],
] as const)('%s is refused: %s', ([params, words]) => {
  const asked = new URLSearchParams(params as { [name: string]: string })
  expect(() => rangeOf(asked, 'UTC', 0)).toThrow(WrongRange)
  expect(() => rangeOf(asked, 'UTC', 0)).toThrow(words)
})

test('lengths and steps are named as people do', () => {
  expect([28, 7, 1, 1.5].map((days) => lengthText(days * DAY_MS))).toEqual([
    '28 days',
    '1 week',
    '1 day',
    '36 hours',
  ])
  expect(STEPS.map(stepName).slice(3, 9)).toEqual([
    '10 minutes',
    '15 minutes',
    '30 minutes',
    '1 hour',
    '2 hours',
    '3 hours',
  ])
})

test('a date that a zone left out is a day of no length; offsets of times are heeded', () => {
  const of = (from: string, to: string, zone = 'UTC') => {
    const { fromMs, toMs } = rangeOf(new URLSearchParams({ from, to }), zone, 0)
    return [fromMs, toMs].map((ms) => new Date(ms).toISOString())
  }
  const change = '2011-12-30T10:00:00.000Z'
  expect(of('2011-12-30', '2011-12-30', 'Pacific/Apia')).toEqual([change, change])
  expect(of('2011-12-29', '2011-12-31', 'Pacific/Apia')).toEqual([
    '2011-12-29T10:00:00.000Z',
    '2011-12-31T10:00:00.000Z',
  ])
  expect(of('2026-11-22T10:00:00+01:00', '2026-11-22T07:00-0330')).toEqual([
    '2026-11-22T09:00:00.000Z',
    '2026-11-22T10:30:00.000Z',
  ])
})

test('a range has neighbours of its length: dates where it runs over dates, whatever their hours', () => {
  const of = (from: string, to: string, zone: string) =>
    rangeOf(new URLSearchParams({ from, to }), zone, Date.UTC(2027, 0))
  const params = (range: ReturnType<typeof of>, by: 1 | -1, zone: string, now = '2027-01-01') =>
    rangeParams(neighbour(range, zone, Date.parse(now), by)!, zone)
  // The last Sunday of March has 23 hours in Berlin, and is the seventh day of its week.
  const week = of('2026-03-23', '2026-03-29', 'Europe/Berlin')
  expect(params(week, -1, 'Europe/Berlin')).toEqual({ from: '2026-03-16', to: '2026-03-22' })
  expect(params(week, 1, 'Europe/Berlin')).toEqual({ from: '2026-03-30', to: '2026-04-05' })
  const hour = of('2026-03-23T10:30', '2026-03-23T11:30', 'UTC')
  expect(params(hour, 1, 'UTC')).toEqual({ from: '2026-03-23T11:30Z', to: '2026-03-23T12:30Z' })
  expect(neighbour(week, 'Europe/Berlin', Date.parse('2026-03-29T12:00Z'), 1)).toBe(null)
  expect(neighbour(of('2011-12-30', '2011-12-30', 'Pacific/Apia'), 'Pacific/Apia', Date.now(), 1)).toBe(null)
})

test('there and back again is the same range', () => {
  fc.assert(
    fc.property(zone, instant, fc.integer({ min: 2, max: 100_000 }), (name, fromMs, minutes) => {
      const range = { fromMs, toMs: fromMs + minutes * 60_000, last: null }
      const there = neighbour(range, name, Number.POSITIVE_INFINITY, 1)!
      expect(there.fromMs).toBe(range.toMs)
      const isWhole = startOfDay(range.toMs, name) === range.toMs
      if (!isWhole) expect(neighbour(there, name, Number.POSITIVE_INFINITY, -1)).toEqual(range)
    }),
  )
})

test('a narrower range is the half around its middle, in whole minutes, and none of less than two', () => {
  const of = (from: string, to: string) => {
    const range = narrower({ fromMs: Date.parse(from), toMs: Date.parse(to), last: '24h' })
    return range && rangeParams(range, 'UTC')
  }
  expect(of('2026-11-22T00:00Z', '2026-11-23T00:00Z')).toEqual({
    from: '2026-11-22T06:00Z',
    to: '2026-11-22T18:00Z',
  })
  expect(of('2026-11-22T10:00:30Z', '2026-11-22T10:15:30Z')).toEqual({
    from: '2026-11-22T10:04Z',
    to: '2026-11-22T10:12Z',
  })
  expect(of('2026-11-22T10:00Z', '2026-11-22T10:04Z')).toEqual({
    from: '2026-11-22T10:01Z',
    to: '2026-11-22T10:03Z',
  })
  expect(of('2026-11-22T10:00Z', '2026-11-22T10:03Z')).toBe(null)
})

test('a wider range is twice as long, around its middle or up to now, in whole minutes', () => {
  const [from, to] = ['2026-03-23T10:00Z', '2026-03-23T12:00Z'].map((time) => Date.parse(time))
  const params = (now: string, endMs = to!) =>
    rangeParams(wider({ fromMs: from!, toMs: endMs, last: '2h' }, Date.parse(now)), 'UTC')
  expect(params('2026-03-24')).toEqual({ from: '2026-03-23T09:00Z', to: '2026-03-23T13:00Z' })
  expect(params('2026-03-23T12:10:20Z')).toEqual({ from: '2026-03-23T08:11Z', to: '2026-03-23T12:11Z' })
  // One that ends ahead ends there; one without length has a minute.
  expect(params('2026-03-23T11:00Z')).toEqual({ from: '2026-03-23T08:00Z', to: '2026-03-23T12:00Z' })
  expect(params('2026-03-24', from)).toEqual({ from: '2026-03-23T09:59Z', to: '2026-03-23T10:01Z' })
})
