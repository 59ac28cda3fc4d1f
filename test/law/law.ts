import { expect } from 'vitest'
import { explain } from '../simulator/explain.ts'
import { allFaults } from '../simulator/faults.ts'
import { planOf } from '../simulator/plan.ts'
import { runPlan } from '../simulator/run.ts'
import { addTally, emptyTally } from '../simulator/tally.ts'

/**
 * The law: at every instant, every answer is one fold over a set of accepted messages that contains every one accepted
 * longer ago than the freshness bound, each exactly once, whichever layer answers.
 */
export const SEEDS = 50
const STEPS = 40
/** Files of this test, which run side by side. */
export const SHARDS = 2

/** Simulates one shard's seeds with every kind of fault, and says what they contained. */
export async function holds(shard: number): Promise<void> {
  const total = emptyTally()
  for (let seed = 1 + shard; seed <= SEEDS; seed += SHARDS) {
    const plan = planOf(seed, STEPS, allFaults(1))
    const outcome = await runPlan(plan)
    if (outcome.failure !== null)
      throw new Error(await explain(plan, outcome, { steps: STEPS, faults: 'all', engine: 'reference' }))
    addTally(total, outcome.tally)
  }
  console.log(`law: ${SEEDS / SHARDS} seeds: ${JSON.stringify(total)}`)
  const seeds = SEEDS / SHARDS
  expect(total.crashes).toBeGreaterThan(seeds)
  expect(total.repeats).toBeGreaterThan(seeds / 2)
  expect(total.late).toBeGreaterThan(5 * seeds)
  expect(total.publishes).toBeGreaterThan(seeds)
  expect(total.answers).toBeGreaterThan(200 * seeds)
  expect(total.definitions).toBeGreaterThan(seeds / 20)
  for (const task of [
    'merges',
    'vacuums',
    'erasures',
    'backups',
    'imports',
    'corrections',
    'expiries',
  ] as const)
    expect([task, total[task]]).toEqual([task, expect.toSatisfy((count: number) => count > seeds / 20)])
  expect(total.incomplete / total.answers).toBeLessThan(0.3)
}
