import { expect, test } from 'vitest'
import type { View } from '../../pages/api/types.ts'
import { todayMs } from '../../pages/home/rows.ts'
import { cellZone, wholeCells } from '../../pages/time/cells.ts'
import { rangeOf } from '../../pages/time/range.ts'

const DAY_MS = 86_400_000
const HOUR_MS = 3_600_000
const NOW = Date.parse('2026-11-27T19:07:00Z')
const iso = ({ fromMs, toMs }: { fromMs: number; toMs: number }) =>
  [fromMs, toMs].map((ms) => new Date(ms).toISOString().slice(0, 16))
const asked = (params: object, zone: string) =>
  rangeOf(new URLSearchParams(params as { [name: string]: string }), zone, NOW)

test.each(['UTC', 'Europe/Berlin', 'America/New_York', 'Pacific/Auckland'])(
  'a date picked in %s is that date of a view of days',
  (zone) => {
    const range = asked({ from: '2026-11-15', to: '2026-11-16' }, zone)
    expect(iso(wholeCells(range, DAY_MS, zone))).toEqual(['2026-11-15T00:00', '2026-11-17T00:00'])
    expect(cellZone(zone, DAY_MS, range)).toBe('UTC')
  },
)

test('what runs up to now has the cell that goes on', () => {
  expect(iso(wholeCells(asked({ last: '24h' }, 'UTC'), DAY_MS, 'Asia/Tokyo'))).toEqual([
    ...['2026-11-27T00:00', '2026-11-28T00:00'],
  ])
  expect(iso(wholeCells(asked({ last: '15m' }, 'UTC'), HOUR_MS, 'UTC'))).toEqual([
    ...['2026-11-27T19:00', '2026-11-27T20:00'],
  ])
})

test('cells of a minute leave a range as it is; a day without length stays one', () => {
  const range = asked({ last: '1h' }, 'UTC')
  expect(wholeCells(range, 60_000, 'UTC')).toBe(range)
  const skipped = asked({ from: '2011-12-30', to: '2011-12-30' }, 'Pacific/Apia')
  expect(wholeCells(skipped, DAY_MS, 'Pacific/Apia')).toBe(skipped)
})

test('hours are named by the clock of a zone whose hours are whole, else in UTC', () => {
  const range = asked({ last: '7d' }, 'UTC')
  expect(cellZone('America/New_York', HOUR_MS, range)).toBe('America/New_York')
  expect(cellZone('Asia/Kolkata', HOUR_MS, range)).toBe('UTC')
  expect(cellZone('Asia/Kolkata', 60_000, range)).toBe('Asia/Kolkata')
})

test('today begins with the first cell of today, or is the one that goes on', () => {
  const midnight = Date.parse('2026-11-26T23:00:00Z')
  const today = (bucket_ms: number) => new Date(todayMs(midnight, { bucket_ms } as View, NOW)).toISOString()
  expect(today(60_000)).toBe('2026-11-26T23:00:00.000Z')
  expect(today(DAY_MS)).toBe('2026-11-27T00:00:00.000Z')
  expect(new Date(todayMs(midnight, { bucket_ms: DAY_MS } as View, midnight + 60_000)).toISOString()).toBe(
    '2026-11-26T00:00:00.000Z',
  )
})
