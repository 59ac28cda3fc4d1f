import { expect, test } from 'vitest'
import { runSequence, type Tally } from './sequence.ts'

/**
 * The law: at every instant, every answer is one fold over a set of accepted messages that contains every one
 * accepted longer ago than the freshness bound, each exactly once, whichever layer answers.
 */
const SEQUENCES = 1_000
const STEPS = 40
const SHARDS = 4

for (let shard = 0; shard < SHARDS; shard++) {
  test(`the law holds in ${SEQUENCES / SHARDS} random sequences (part ${shard + 1})`, async () => {
    const total: Tally = {
      crashes: 0,
      repeats: 0,
      late: 0,
      publishes: 0,
      ticks: 0,
      answers: 0,
      incomplete: 0,
    }
    for (let i = 0; i < SEQUENCES / SHARDS; i++) {
      const tally = await runSequence(1 + shard + i * SHARDS, STEPS)
      for (const name of Object.keys(total) as (keyof Tally)[]) total[name] += tally[name]
    }
    expect(total.crashes).toBeGreaterThan(250)
    expect(total.repeats).toBeGreaterThan(250)
    expect(total.late).toBeGreaterThan(1_000)
    expect(total.publishes).toBeGreaterThan(250)
    expect(total.ticks).toBeGreaterThan(500)
    expect(total.answers).toBeGreaterThan(10_000)
    expect(total.incomplete / total.answers).toBeLessThan(0.2)
  })
}
