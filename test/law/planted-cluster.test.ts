import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { PLANTED_IN_CLUSTER } from '../simulator/planted/cluster.ts'

const PLANT = fileURLToPath(new URL('../simulator/plant.ts', import.meta.url))
const SIMULATE = fileURLToPath(new URL('../simulator/cluster/simulate.ts', import.meta.url))
/** Seeds from the known one on that a bug must be found within. */
const SEEDS_MAX = 60

for (const [name, { seed }] of Object.entries(PLANTED_IN_CLUSTER)) {
  test.concurrent(`a planted bug is found in a cluster: ${name}`, async () => {
    const args = ['--import', PLANT, SIMULATE, '--seed', String(seed), '--seeds', String(SEEDS_MAX)]
    const child = spawn(process.execPath, args, {
      env: { ...process.env, TIDEMARK_PLANT: name },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let said = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      said += text
    })
    await new Promise((resolve) => child.on('exit', resolve))
    expect(said).toMatch(/^seed \d+ fails: /)
  })
}
