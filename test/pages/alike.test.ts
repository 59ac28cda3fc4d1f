import { expect, test } from 'vitest'
import { alike } from '../../pages/system/alike.ts'

const refused = (time: string, remote: string, code: string, reason = 'no number') => ({
  ...{ time, remote, code, reason },
  ...{ agent: null, field: null },
})

test('what one sender is refused for again and again is one line, and hides no other', () => {
  const many = Array.from({ length: 18 }, (_, i) =>
    refused(`2026-11-28T08:00:${10 + i}Z`, '10.0.0.1', 'E_SERVICE'),
  )
  const all = [
    refused('2026-11-28T08:00:20Z', '10.0.0.2', 'E_SERVICE'),
    ...many,
    refused('2026-11-28T08:01:00Z', '10.0.0.1', 'E_JSON'),
  ]
  const told = alike(all).map(({ last, times }) => [last.time.slice(14, 19), last.remote, last.code, times])
  expect(told).toEqual([
    ['01:00', '10.0.0.1', 'E_JSON', 1],
    ['00:27', '10.0.0.1', 'E_SERVICE', 18],
    ['00:20', '10.0.0.2', 'E_SERVICE', 1],
  ])
})

test('other reasons are other lines', () => {
  expect(alike([refused('a', 'r', 'E_GAUGE', 'cpu'), refused('b', 'r', 'E_GAUGE', 'ram')])).toHaveLength(2)
})
