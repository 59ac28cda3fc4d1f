import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Ending } from './ending.ts'
import { Executor } from './execute.ts'
import { Simulation } from './simulation.ts'
import type { Plan } from './step.ts'
import type { Tally } from './tally.ts'

/** How a simulation went. */
export interface Outcome {
  /** Null when the law held. */
  readonly failure: Failure | null
  readonly tally: Tally
  /** Equal for two simulations that did the same, call by call. */
  readonly hash: string
  readonly lines: readonly string[]
}

export interface Failure {
  readonly message: string
  /** Steps that were done, the one that failed included; one more than there are when it failed at the end. */
  readonly steps: number
  readonly stack: string
}

/** Executes a plan from the beginning to where it fails, or to the end. */
export async function runPlan(plan: Plan): Promise<Outcome> {
  const folder = plan.world.indexOutlives ? mkdtempSync(join(tmpdir(), 'tidemark-simulated-')) : null
  const simulation = new Simulation(plan, folder === null ? null : join(folder, 'index.db'))
  const executor = new Executor(simulation, plan)
  let done = 0
  let failure: Failure | null = null
  try {
    await executor.start()
    for (const step of plan.steps) {
      done += 1
      await executor.step(step)
    }
    done += 1
    await new Ending(simulation, executor).run()
  } catch (error) {
    const { message, stack } = error as Error
    failure = { message, steps: done, stack: stack ?? '' }
  }
  const { world } = simulation
  world.end()
  for (const host of simulation.fleet.hosts) host?.life.die()
  if (folder !== null) rmSync(folder, { recursive: true, force: true })
  return { failure, tally: simulation.tally, hash: world.trace.digest(), lines: world.trace.lines }
}
