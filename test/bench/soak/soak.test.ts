import { expect, test } from 'vitest'
import { verdict } from '../../../bench/soak/soak.ts'

const soak = (rates: number[], memory: number[]) => ({
  rate: 1_000,
  parts: rates.map((perSecond, i) => ({
    perSecond,
    ackMs: { p50: 1, p99: 1, max: 1 },
    states: [{ residentMib: memory[i]!, sealLagBlocks: 0, tickAgeMs: 0 }],
  })),
})

test('a soak holds its rate when every part does, and compares the memory of its thirds', () => {
  expect(verdict(soak([1_000, 995, 1_001], [100, 300, 120]))).toEqual({ held: true, growth: 1.2 })
  expect(verdict(soak([1_000, 900, 1_100], [100, 100, 100]))).toEqual({ held: false, growth: 1 })
})
