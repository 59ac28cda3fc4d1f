import { expect, test } from 'vitest'
import { runCluster } from './run.ts'

const SEEDS = 6
const STEPS = 40

test(`readers of a shared log accept the same messages, in ${SEEDS} simulated histories`, async () => {
  const total: Record<string, number> = {}
  for (let seed = 1; seed <= SEEDS; seed++) {
    const { failure, tally, lines } = await runCluster(seed, STEPS)
    if (failure !== null) expect.unreachable(`seed ${seed}: ${failure}\n${lines.join('\n')}`)
    for (const [name, n] of Object.entries(tally)) total[name] = (total[name] ?? 0) + n
  }
  for (const name of ['repeats', 'kills', 'zombies', 'handovers', 'publishes', 'lostStates', 'complete'])
    expect(total[name], name).toBeGreaterThanOrEqual(SEEDS)
}, 60_000)

test('a history repeats from its seed', async () => {
  expect((await runCluster(3, 15)).hash).toBe((await runCluster(3, 15)).hash)
})
