import { expect, test } from 'vitest'
import { benchRecompute, manyMessages, oneMessage } from '../../../bench/recompute/recompute.ts'
import { recomputeText } from '../../../bench/recompute/text.ts'

test('both shapes of the recompute benchmark run small, with the same cells by hand, and say what they measured', async () => {
  const result = await benchRecompute(
    {
      // One message a cell is computed in full before it comes late.
      full: [{ name: 'many', history: manyMessages(0.004) }],
      late: [oneMessage(1, 2), oneMessage(2, 2)],
    },
    1,
  )
  expect(result.full.map(({ messages }) => messages)).toEqual([10_001])
  expect(result.late.map(({ days }) => days)).toEqual([1, 2])
  for (const { hashes, runs } of [...result.full, ...result.late]) {
    expect(hashes.service_minute).toMatch(/^\d+-[0-9a-f]{16}$/)
    expect(runs[0]!.peakMib).toBeGreaterThan(0)
  }
  const text = recomputeText(result)
  expect(text).toMatch(/cores.*Node v.*DuckDB v[\s\S]*many: 10,001 messages[\s\S]*run \/ by hand = \d/)
  expect(text).toMatch(/late for one hour[\s\S]*2 days \/ 1 .*budget/)
}, 120_000)
