import { expect, test } from 'vitest'
import { Messages } from '../../../bench/connections/messages.ts'

const START_MS = Date.UTC(2026, 10, 22, 10)

test('every message of an agent can be rendered from its number', () => {
  const messages = new Messages(START_MS, 60)
  const bytes = messages.of(4_321, 7, 2)
  const lines = String(bytes)
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  expect(bytes.length).toBe(2 * messages.lineBytes)
  expect(lines.map(({ service, host, seq }) => [service, host, seq])).toEqual([
    ['service-001', 'agent-04321.example', 100_000_007],
    ['service-001', 'agent-04321.example', 100_000_008],
  ])
  expect(lines.map(({ time_stamp }) => time_stamp)).toEqual([
    '2026-11-22T10:00:07.000Z',
    '2026-11-22T10:00:08.000Z',
  ])
})
