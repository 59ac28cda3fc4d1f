import { expect, test } from 'vitest'
import { benchServing } from '../../../bench/serving/serving.ts'
import { servingText } from '../../../bench/serving/text.ts'

const SMALL = { services: 2, days: 1, each: 4, seconds: 0.1 }

test('the serving benchmark runs small and says what it measured', async () => {
  const result = await benchServing({ ...SMALL, straight: false, rate: 2_000 }, () => {})
  expect(result.cells).toBeGreaterThanOrEqual(2 * 1_440)
  expect(result.published.queries).toBeGreaterThan(0)
  for (const { kind, times } of result.kinds) {
    if (kind.mayLack) continue
    expect(times!.up.p50, kind.name).toBeGreaterThan(0)
  }
  expect(result.beside!.arrived.perSecond.median).toBeGreaterThan(0)
  expect(result.beside!.kinds.map(({ kind }) => kind.name)).toEqual(result.kinds.map(({ kind }) => kind.name))
  expect(servingText(result)).toMatch(
    /cores.*Node v[\s\S]*stats 24 h.*budget[\s\S]*requests\/s[\s\S]*slowest.*budget[\s\S]*while 2,000 messages\/s[\s\S]*stats 24 h[\s\S]*bytes a cell[\s\S]*hashes/,
  )
}, 120_000)

test('cells that are written straight are published, indexed and asked for the same way', async () => {
  const result = await benchServing({ ...SMALL, straight: true, rate: 0 }, () => {})
  // Of both views, beside the cells with which the tables began and those that came while it was asked.
  expect(result.cells).toBe(2 * (2 * 1_440 + 1 + 2))
  expect(result.published.queries).toBeGreaterThan(0)
  expect(servingText(result)).toMatch(
    /analytics 1 d, a page.*budget[\s\S]*services, a page.*budget[\s\S]*a date more is/,
  )
}, 120_000)
