import { expect, test } from 'vitest'
import { benchServing } from '../../../bench/serving/serving.ts'
import { servingText } from '../../../bench/serving/text.ts'

test('the serving benchmark runs small and says what it measured', async () => {
  const result = await benchServing({ services: 2, days: 1, each: 4, seconds: 0.1 })
  expect(result.cells).toBeGreaterThanOrEqual(2 * 1_440)
  expect(result.published.queries).toBeGreaterThan(0)
  for (const { kind, times } of result.kinds) {
    if (kind.mayLack) continue
    expect(times!.up.p50, kind.name).toBeGreaterThan(0)
  }
  expect(servingText(result)).toMatch(
    /cores.*Node v[\s\S]*stats 24 h.*budget[\s\S]*requests\/s[\s\S]*slowest.*budget[\s\S]*bytes a cell[\s\S]*hashes/,
  )
}, 120_000)
