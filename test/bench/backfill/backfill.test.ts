import { expect, test } from 'vitest'
import { backfillText, benchBackfill } from '../../../bench/backfill/backfill.ts'

test('the back-fill benchmark runs small and says what it measured', async () => {
  const result = await benchBackfill(5, 1, ['--speed-tick', '200ms'])
  expect(result.sent.messages).toBe(300)
  expect(result.watched.untrue).toBe(0)
  expect(result.messageBytes).toBeGreaterThan(0)
  expect(result.tickBytes).toBeGreaterThan(0)
  expect(backfillText(result)).toMatch(
    /300 lines at once.*Node v[\s\S]*holds all .*budget[\s\S]*never said complete[\s\S]*slowest[\s\S]*ticks/,
  )
}, 120_000)
