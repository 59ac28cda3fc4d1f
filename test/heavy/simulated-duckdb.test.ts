import { expect, test } from 'vitest'
import { explain } from '../simulator/explain.ts'
import { allFaults } from '../simulator/faults.ts'
import { planOf } from '../simulator/plan.ts'
import { runPlan } from '../simulator/run.ts'
import { addTally, emptyTally } from '../simulator/tally.ts'

const SEEDS = 20
const STEPS = 40

test(`the law holds for ${SEEDS} simulated histories whose runs DuckDB computes`, async () => {
  const total = emptyTally()
  for (let seed = 1; seed <= SEEDS; seed++) {
    const plan = planOf(seed, STEPS, allFaults(1), 'duckdb')
    const outcome = await runPlan(plan)
    if (outcome.failure !== null)
      throw new Error(await explain(plan, outcome, { steps: STEPS, faults: 'all', engine: 'duckdb' }))
    addTally(total, outcome.tally)
  }
  expect(total.publishes).toBeGreaterThan(SEEDS)
})
