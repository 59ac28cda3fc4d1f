import { expect, test } from 'vitest'
import { benchServing } from '../../../bench/serving/serving.ts'
import { servingText } from '../../../bench/serving/text.ts'

/** Over cells that are written straight; over messages that a run computes it goes with the heavy tests. */
test('the serving benchmark runs small and says what it measured', async () => {
  const size = { services: 2, days: 1, each: 4, seconds: 0.1, straight: true, rate: 2_000 }
  const result = await benchServing(size, () => {})
  // Of both views, beside the cells with which the tables began; more came while it was asked.
  expect(result.cells).toBeGreaterThanOrEqual(2 * (2 * 1_440 + 1 + 2))
  expect(result.published.queries).toBeGreaterThan(0)
  for (const { kind, times } of result.kinds) {
    if (kind.mayLack) continue
    expect(times!.up.p50, kind.name).toBeGreaterThan(0)
  }
  expect(result.beside!.arrived.perSecond.median).toBeGreaterThan(0)
  expect(result.beside!.kinds.map(({ kind }) => kind.name)).toEqual(result.kinds.map(({ kind }) => kind.name))
  expect(servingText(result)).toMatch(
    /cores.*Node v[\s\S]*stats 24 h.*budget[\s\S]*analytics 1 d, a page.*budget[\s\S]*requests\/s[\s\S]*a date more is[\s\S]*slowest.*budget[\s\S]*while 2,000 messages\/s[\s\S]*stats 24 h[\s\S]*bytes a cell[\s\S]*hashes/,
  )
}, 120_000)
