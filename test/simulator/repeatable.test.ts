import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { allFaults } from './faults.ts'
import { planOf } from './plan.ts'
import { runPlan } from './run.ts'

const SIMULATE = fileURLToPath(new URL('simulate.ts', import.meta.url))

test('the same seed does the same, call by call, also in another process', async () => {
  const plan = planOf(7, 20, allFaults(1))
  const first = await runPlan(plan)
  const second = await runPlan(plan)
  expect(first.failure).toBeNull()
  expect(second.hash).toBe(first.hash)
  expect(second.lines).toEqual(first.lines)
  const { stdout } = spawnSync(process.execPath, [SIMULATE, '--seed', '7', '--steps', '20', '--trace'], {
    encoding: 'utf8',
  })
  expect(stdout).toContain(`trace hash ${first.hash}`)
}, 60_000)

test('another seed does something else', async () => {
  const [one, other] = [7, 8].map((seed) => planOf(seed, 5, allFaults(1)))
  expect((await runPlan(one!)).hash).not.toBe((await runPlan(other!)).hash)
})
