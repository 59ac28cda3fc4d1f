import { agentText, benchAgent } from './agent.ts'
import { benchConnections, connectionsText } from './connections/connections.ts'
import { benchIngest, ingestText } from './ingest/ingest.ts'
import { benchPeers, peersText } from './peers/compare.ts'
import { benchRecompute, recomputeText } from './recompute.ts'
import { benchSoak, soakText } from './soak/soak.ts'

interface Benchmark {
  readonly name: string
  /** What may stand behind its name. */
  readonly sizes: string
  run(...sizes: number[]): Promise<string>
}

/** `npm run bench -- NAME [SIZE ...]`: every benchmark prints the machine and its ratio to a floor measured beside it. */
const BENCHMARKS: readonly Benchmark[] = [
  { name: 'agent', sizes: '[SECONDS]', run: async (seconds = 600) => agentText(await benchAgent(seconds)) },
  { name: 'ingest', sizes: '[SECONDS]', run: async (seconds = 20) => ingestText(await benchIngest(seconds)) },
  { name: 'peers', sizes: '[SECONDS]', run: async (seconds = 20) => peersText(await benchPeers(seconds)) },
  {
    name: 'connections',
    sizes: '[AGENTS] [SECONDS] [SPOOLED]',
    run: async (agents = 10_000, seconds = 60, spooled = 3_600) =>
      connectionsText(await benchConnections(agents, seconds, spooled)),
  },
  {
    name: 'recompute',
    sizes: '[ROWS]',
    run: async (rows = 10_000_000) => recomputeText(await benchRecompute(rows, 5)),
  },
  {
    name: 'soak',
    sizes: '[SECONDS] [RATE]',
    run: async (seconds = 600, rate = 100_000) => soakText(await benchSoak(seconds, rate, console.log)),
  },
]

const [name, ...sizes] = process.argv.slice(2)
const bench = BENCHMARKS.find((one) => one.name === name)
if (bench === undefined) {
  const lines = BENCHMARKS.map((one) => `  npm run bench -- ${one.name} ${one.sizes}`)
  console.error(['The benchmarks:', ...lines].join('\n'))
  process.exitCode = 2
} else {
  try {
    console.log(await bench.run(...sizes.map(Number)))
  } catch (error) {
    console.error(error instanceof Error ? error.message : error)
    process.exitCode = 1
  }
}
