import { expect, test } from 'vitest'
import { allFaults } from './faults.ts'
import { planOf } from './plan.ts'
import type { Outcome } from './run.ts'
import { shrink } from './shrink.ts'
import type { Plan } from './step.ts'
import { emptyTally } from './tally.ts'

/** Fails in the step after which every one of `needed` is done. */
function failsWith(needed: readonly number[]) {
  return async ({ steps }: Plan): Promise<Outcome> => {
    const numbers = steps.map(({ number }) => number)
    const last = Math.max(...needed.map((number) => numbers.indexOf(number)))
    const fails = needed.every((number) => numbers.includes(number))
    const failure = fails ? { message: 'wrong', steps: last + 1, stack: '' } : null
    return { failure, tally: emptyTally(), hash: '', lines: [] }
  }
}

test.each([[[1]], [[3, 17]], [[2, 20, 21, 38]], [[40]]])(
  'of forty steps only those stay that the failure needs: %j',
  async (needed) => {
    const plan = planOf(1, 40, allFaults(1))
    const run = failsWith(needed)
    const { plan: short, outcome, tries } = await shrink(plan, await run(plan), run)
    expect(short.steps.map(({ number }) => number)).toEqual(needed)
    expect(outcome.failure).not.toBeNull()
    expect(tries).toBeLessThan(200)
  },
)
