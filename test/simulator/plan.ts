import { simRandom } from '../sim/random.ts'
import { ACTIONS } from './actions.ts'
import { FAULTS, type FaultName, type FaultRates, TASKS } from './faults.ts'
import type { Plan } from './step.ts'

/**
 * The plan of a seed. Each seed has about half of the faults it may have, each at a rate of its own: with everything at
 * once, one fault hides another.
 */
export function planOf(
  seed: number,
  stepCount: number,
  faults: FaultRates,
  engine: 'reference' | 'duckdb' = 'reference',
): Plan {
  const random = simRandom(seed)
  const rates = new Map<FaultName, number>()
  const choose = (names: object, { float }: typeof random) => {
    for (const name of Object.keys(names) as FaultName[])
      rates.set(name, (float() < 0.5 ? pick(float(), [0.3, 1, 3]) : 0) * faults[name])
  }
  const { 'store-stale': stale, ...others } = FAULTS
  choose(others, random)
  // By dice of their own: what a seed does to the system is the same without them.
  choose(TASKS, simRandom(seed + 0.75))
  choose({ 'store-stale': stale }, simRandom(seed + 0.875))
  const allowed = (name: FaultName) => rates.get(name)! > 0
  const lake = random.float() < 0.6 ? ('store' as const) : ('disk' as const)
  const world = {
    lake,
    indexOutlives: random.float() < 0.3 || allowed('index'),
    retentionMs: pick(random.float(), [10 * 60_000, 24 * 3_600_000]),
    twin: allowed('twins'),
    // A second node reads the lake over the network.
    node: lake === 'store' && random.float() < 0.5,
    // What an erasure takes of cells whose messages have expired, whole cells, no fold over messages tells.
    parted: allowed('expire') && allowed('erase'),
    amends: (['erase', 'import', 'correct', 'expire'] as const).some(allowed),
    engine,
  }
  const weights = Object.entries(ACTIONS).map(([name, { weight, fault }]) => {
    return { name, weight: weight * (fault === null ? 1 : rates.get(fault)!) }
  })
  const sum = weights.reduce((total, { weight }) => total + weight, 0)
  const steps = Array.from({ length: stepCount }, (_, i) => {
    let roll = random.float() * sum
    const found = weights.find(({ weight }) => {
      roll -= weight
      return roll < 0
    })
    return { number: i + 1, action: (found ?? weights[0]!).name, seed: Math.floor(random.float() * 2 ** 31) }
  })
  return { seed, world, steps }
}

function pick<T>(roll: number, list: readonly T[]): T {
  return list[Math.floor(roll * list.length)]!
}
