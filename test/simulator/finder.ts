import { runCluster } from './cluster/run.ts'
import { parseFaults } from './faults.ts'
import type { Found } from './find-bugs.ts'
import { planOf } from './plan.ts'
import { PLANTED_IN_CLUSTER } from './planted/cluster.ts'
import { PLANTED } from './planted/planted.ts'
import { ALL_FAULTS, type PlantedBug } from './planting/bug.ts'
import { wake } from './planting/plant-bugs.ts'
import { runPlan } from './run.ts'

/** A process that looks for one planted bug after the other, as it is told (`findBugs`). */
const STEPS = 40
const CLUSTER_STEPS = 60
/** Seeds tried, once the simulator has changed and a bug's own finds it no more. */
const SEEDS_MAX = 1_000
const CLUSTER_SEEDS_MAX = 60

interface Ended {
  readonly failure: string | null
  /** Steps done. */
  readonly steps: number
}

/** Simulates a seed, of its steps so many at most. */
type Simulate = (seed: number, steps: number) => Promise<Ended>

process.on('message', async (name: string) => process.send!(await find(name)))

async function find(name: string): Promise<Found> {
  const inCluster: { readonly [name: string]: PlantedBug } = PLANTED_IN_CLUSTER
  const inHost: { readonly [name: string]: PlantedBug } = PLANTED
  const bug = inHost[name] ?? inCluster[name]!
  const simulate = name in inHost ? ofHost(bug) : ofCluster
  const [from, count] = name in inHost ? [1, SEEDS_MAX] : [bug.seed, CLUSTER_SEEDS_MAX]
  const seeds = [bug.seed, ...Array.from({ length: count }, (_, i) => from + i)]
  for (const seed of seeds) {
    wake(name)
    const { failure, steps } = await simulate(seed, Number.POSITIVE_INFINITY)
    wake(null)
    if (failure === null) continue
    const without = await simulate(seed, steps)
    return { bug: name, seed, failure, failureWithout: without.failure }
  }
  return { bug: name, seed: null, failure: null, failureWithout: null }
}

function ofHost({ faults = ALL_FAULTS, steps = STEPS }: PlantedBug): Simulate {
  return async (seed, stepsMax) => {
    const plan = planOf(seed, steps, parseFaults(faults))
    const { failure } = await runPlan({ ...plan, steps: plan.steps.slice(0, stepsMax) })
    return { failure: failure?.message ?? null, steps: failure?.steps ?? steps }
  }
}

/** Seeds of a cluster that hold while no bug is awake. */
const holding = new Set<number>()

async function ofCluster(seed: number, stepsMax: number): Promise<Ended> {
  const isSound = stepsMax <= CLUSTER_STEPS
  if (isSound && holding.has(seed)) return { failure: null, steps: CLUSTER_STEPS }
  const { failure } = await runCluster(seed, CLUSTER_STEPS)
  if (isSound && failure === null) holding.add(seed)
  return { failure, steps: CLUSTER_STEPS }
}
