import { expect, test } from 'vitest'
import { factorOf } from '../../../bench/engines/text.ts'

test('what a message takes is told apart from what a start takes', () => {
  const of = (messages: number, cpuSeconds: number) => ({
    engine: 'spark' as const,
    messages,
    taken: [{ wallMs: 1, cpuSeconds }],
  })
  const { messageUs, startSeconds } = factorOf([of(1_000_000, 22), of(10_000_000, 40)])
  expect(messageUs).toBeCloseTo(2)
  expect(startSeconds).toBeCloseTo(20)
})
