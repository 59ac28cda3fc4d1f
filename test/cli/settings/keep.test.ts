import { expect, test } from 'vitest'
import { parseKeep } from '../../../cli/settings/keep.ts'
import { dateBefore, keepMsOf, lastExpired } from '../../../lake/expire/keep.ts'
import { host } from '../../../schemas/datasets/host.ts'
import { DAY_MS } from '../../../schemas/time.ts'

test('rules say how long what is kept', () => {
  const keep = parseKeep('400d, host=30d, host/a%2Fb=1.5d, scores=forever')!
  expect(keepMsOf(keep, 'other', 'x')).toBe(400 * DAY_MS)
  expect(keepMsOf(keep, 'host', 'web')).toBe(30 * DAY_MS)
  expect(keepMsOf(keep, 'host', 'a/b')).toBe(1.5 * DAY_MS)
  expect(keepMsOf(keep, 'scores', 'x')).toBeNull()
  expect(keepMsOf(parseKeep('forever')!, 'host', 'web')).toBeNull()
  expect(keepMsOf(parseKeep('host/web=7d')!, 'host', 'db')).toBeNull()
})

test('a date expires when it ended so long ago', () => {
  const midnightMs = Date.UTC(2026, 10, 22)
  expect(dateBefore(midnightMs, 7 * DAY_MS)).toBe('2026-11-14')
  expect(dateBefore(midnightMs - 1, 7 * DAY_MS)).toBe('2026-11-13')
  const last = (rules: string) => lastExpired(parseKeep(rules)!, host, midnightMs)
  expect([last('forever'), last('scores=7d'), last('7d, host=forever')]).toEqual([null, null, null])
  expect([last('30d, host/web=7d'), last('7d, host/web=30d'), last('7d, host=30d')]).toEqual([
    '2026-11-14',
    '2026-11-14',
    '2026-10-22',
  ])
})

test.each([
  '',
  '7',
  '7d,',
  '7d, 8d',
  'host=7d, host=8d',
  '=7d',
  'host/=7d',
  'host/a/b=7d',
  'host/%zz=7d',
  '0d',
])('%j is refused', (text) => {
  expect(parseKeep(text)).toBeNull()
})
