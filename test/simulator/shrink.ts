import { type Outcome, runPlan } from './run.ts'
import type { Plan, Step } from './step.ts'

/** Simulations tried for one failure. */
const TRIES_MAX = 200

/** A plan that fails, and how. */
export interface Shrunk {
  readonly plan: Plan
  readonly outcome: Outcome
  readonly tries: number
}

/**
 * A shorter plan that fails too: the failing prefix, then without ever smaller runs of steps as long as what is left
 * fails, in whatever way (delta debugging, Zeller and Hildebrandt 2002).
 */
export async function shrink(plan: Plan, outcome: Outcome, run = runPlan): Promise<Shrunk> {
  let tries = 0
  let best = { plan, outcome }

  async function fails(steps: readonly Step[]): Promise<boolean> {
    tries += 1
    const shorter = { ...plan, steps }
    const tried = await run(shorter)
    if (tried.failure === null) return false
    best = { plan: { ...plan, steps: steps.slice(0, tried.failure.steps) }, outcome: tried }
    return true
  }

  await fails(plan.steps.slice(0, outcome.failure!.steps))
  for (
    let size = Math.ceil(best.plan.steps.length / 2);
    size >= 1;
    size = size === 1 ? 0 : Math.ceil(size / 2)
  ) {
    for (let at = 0; at < best.plan.steps.length && tries < TRIES_MAX; ) {
      const { steps } = best.plan
      if (!(await fails([...steps.slice(0, at), ...steps.slice(at + size)]))) at += size
    }
  }
  return { ...best, tries }
}
