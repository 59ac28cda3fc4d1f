import { agentText, benchAgent } from './agent.ts'
import { benchIngest, ingestText } from './ingest/ingest.ts'
import { benchRecompute, recomputeText } from './recompute.ts'

/** `npm run bench -- NAME [SIZE]`: every benchmark prints the machine and its ratio to a floor measured beside it. */
const BENCHMARKS: { readonly [name: string]: (size: number | null) => Promise<string> } = {
  agent: async (seconds) => agentText(await benchAgent(seconds ?? 600)),
  ingest: async (seconds) => ingestText(await benchIngest(seconds ?? 20)),
  recompute: async (rows) => recomputeText(await benchRecompute(rows ?? 10_000_000, 5)),
}

const [name, size] = process.argv.slice(2)
const bench = BENCHMARKS[name ?? '']
if (bench === undefined) {
  console.error(`npm run bench -- NAME [SIZE]; the names are ${Object.keys(BENCHMARKS).join(', ')}`)
  process.exitCode = 2
} else console.log(await bench(size === undefined ? null : Number(size)))
