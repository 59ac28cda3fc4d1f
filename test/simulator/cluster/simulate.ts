import { parseArgs } from 'node:util'
import { runCluster } from './run.ts'

/** Simulates clusters, up to the first failure: `node test/simulator/cluster/simulate.ts --seed N --seeds N --steps N [--trace]`. */
const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    seeds: { type: 'string', default: '1' },
    steps: { type: 'string', default: '60' },
    trace: { type: 'boolean', default: false },
  },
})
const [from, count, steps] = [values.seed, values.seeds, values.steps].map(Number) as [number, number, number]
for (let seed = from; seed < from + count; seed++) {
  const { failure, lines } = await runCluster(seed, steps)
  if (values.trace) console.log(lines.join('\n'))
  if (failure === null) continue
  console.log(`seed ${seed} fails: ${failure}`)
  process.exit(1)
}
console.log(`seeds ${from} to ${from + count - 1} hold`)
process.exit(0)
