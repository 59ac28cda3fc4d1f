import { expect } from 'vitest'
import { emptyTally, runSequence, type Tally } from './sequence.ts'

/**
 * The law: at every instant, every answer is one fold over a set of accepted messages that contains every one accepted
 * longer ago than the freshness bound, each exactly once, whichever layer answers.
 */
export const SEQUENCES = 1_000
const STEPS = 40
/** Files of this test, which run side by side. */
export const SHARDS = 2

/** Runs one shard's sequences, and says what they contained. */
export async function holds(shard: number): Promise<void> {
  const total = emptyTally()
  for (let i = 0; i < SEQUENCES / SHARDS; i++) {
    const tally = await runSequence(1 + shard + i * SHARDS, STEPS)
    for (const name of Object.keys(total) as (keyof Tally)[]) total[name] += tally[name]
  }
  console.log(`law: ${SEQUENCES / SHARDS} sequences of ${STEPS} steps: ${JSON.stringify(total)}`)
  expect(total.crashes).toBeGreaterThan(1_000)
  expect(total.repeats).toBeGreaterThan(500)
  expect(total.late).toBeGreaterThan(5_000)
  expect(total.publishes).toBeGreaterThan(500)
  expect(total.ticks).toBeGreaterThan(500)
  expect(total.answers).toBeGreaterThan(100_000)
  expect(total.definitions).toBeGreaterThan(100)
  expect(total.incomplete / total.answers).toBeLessThan(0.2)
}
