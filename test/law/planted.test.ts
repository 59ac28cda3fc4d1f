import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { parseFaults } from '../simulator/faults.ts'
import { planOf } from '../simulator/plan.ts'
import { PLANTED } from '../simulator/planted/planted.ts'
import { ALL_FAULTS, type PlantedBug } from '../simulator/planting/bug.ts'
import { runPlan } from '../simulator/run.ts'

/** Seeds that a bug must be found within. */
const SEEDS_MAX = 1_000
const STEPS = 40
const PLANT = fileURLToPath(new URL('../simulator/plant.ts', import.meta.url))
const SIMULATE = fileURLToPath(new URL('../simulator/simulate.ts', import.meta.url))

/** Simulates with the bug in the sources, up to the first failure. */
async function simulate(name: string, bug: PlantedBug, seed: number, seeds: number) {
  const flags = { seed, seeds, steps: STEPS, faults: bug.faults ?? ALL_FAULTS, jobs: 1 }
  const args = Object.entries(flags).flatMap(([flag, value]) => [`--${flag}`, String(value)])
  const child = spawn(process.execPath, ['--import', PLANT, SIMULATE, ...args, '--brief'], {
    env: { ...process.env, TIDEMARK_PLANT: name },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let said = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text
  })
  await new Promise((resolve) => child.on('exit', resolve))
  return said
}

for (const [name, bug] of Object.entries<PlantedBug>(PLANTED)) {
  test.concurrent(`a planted bug is found: ${name}`, async () => {
    const known = await simulate(name, bug, bug.seed, 1)
    if (/^seed \d+ fails: /.test(known)) return
    const said = await simulate(name, bug, 1, SEEDS_MAX)
    console.log(`${name}: not found by seed ${bug.seed}; ${said.trim()}`)
    expect(said).toMatch(/^seed \d+ fails: /)
  })
}

test('without the bugs their seeds hold', async () => {
  for (const { seed, faults } of Object.values<PlantedBug>(PLANTED)) {
    const { failure } = await runPlan(planOf(seed, STEPS, parseFaults(faults ?? ALL_FAULTS)))
    expect(failure).toBeNull()
  }
})
