import { availableParallelism } from 'node:os'
import { expect, test } from 'vitest'
import { explain } from '../simulator/explain.ts'
import { parseFaults } from '../simulator/faults.ts'
import { simulateInJobs } from '../simulator/jobs.ts'
import { planOf } from '../simulator/plan.ts'
import { runPlan } from '../simulator/run.ts'

const SEEDS = 50
const STEPS = 40

/**
 * The law: at every instant, every answer is one fold over a set of accepted messages that contains every one accepted
 * longer ago than the freshness bound, each exactly once, whichever layer answers.
 */
test(`the law holds for ${SEEDS} simulated histories`, async () => {
  const options = { steps: STEPS, faults: 'all', engine: 'reference' } as const
  const { tally, failed } = await simulateInJobs({
    ...options,
    seed: 1,
    seeds: SEEDS,
    jobs: availableParallelism(),
  })
  if (failed !== null) {
    const plan = planOf(failed, STEPS, parseFaults('all'))
    throw new Error(await explain(plan, await runPlan(plan), options))
  }
  console.log(`law: ${SEEDS} seeds: ${JSON.stringify(tally)}`)
  expect(tally.crashes).toBeGreaterThan(SEEDS)
  expect(tally.repeats).toBeGreaterThan(SEEDS / 2)
  expect(tally.late).toBeGreaterThan(5 * SEEDS)
  expect(tally.publishes).toBeGreaterThan(SEEDS)
  expect(tally.answers).toBeGreaterThan(200 * SEEDS)
  expect(tally.definitions).toBeGreaterThan(SEEDS / 20)
  for (const task of [
    'merges',
    'vacuums',
    'erasures',
    'backups',
    'imports',
    'corrections',
    'expiries',
  ] as const)
    expect([task, tally[task]]).toEqual([task, expect.toSatisfy((count: number) => count > SEEDS / 20)])
  expect(tally.incomplete / tally.answers).toBeLessThan(0.3)
})
