import { expect, test } from 'vitest'
import { sampler } from '../../agent/sample.ts'
import { nodeClock } from '../../cli/host/clock.ts'

test('this host is sampled in percent, with two decimals', async () => {
  const { sample } = await sampler(nodeClock())
  const [cpu, ram, disk, ...rest] = await sample()
  for (const value of [cpu!, ram!, disk!]) {
    expect(value).toBeGreaterThanOrEqual(0)
    expect(value).toBeLessThanOrEqual(100)
    expect(Math.round(value * 100) / 100).toBe(value)
  }
  expect([ram! > 0, rest]).toEqual([true, []])
})
