import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startUp } from '../../test/heavy/up.ts'
import { budgetText, times } from '../budget.ts'
import { send } from '../floor.ts'
import { machine, median, thousands } from '../measure.ts'

/**
 * What percentiles cost a whole `tidemark up` at full rate: the same messages of a dataset like `host`, whose view keeps sketches
 * in one run of a pair and none in the other, in turn the first.
 */
const CONNECTIONS = 4
const RATIO_MIN = 0.9

export interface Paired {
  readonly seconds: number
  /** Messages a second, medians, of each pair. */
  readonly pairs: readonly { readonly with: number; readonly without: number }[]
}

export async function benchSketches(seconds: number, pairs: number): Promise<Paired> {
  const dir = await mkdtemp(join(tmpdir(), 'tidemark-bench-'))
  try {
    const made: Paired['pairs'][number][] = []
    for (let pair = 0; pair < pairs; pair++) {
      const rate = { with: 0, without: 0 }
      const order = pair % 2 === 0 ? (['with', 'without'] as const) : (['without', 'with'] as const)
      for (const kind of order) rate[kind] = await ingested(join(dir, `${pair}-${kind}`), kind, seconds)
      made.push(rate)
    }
    return { seconds, pairs: made }
  } finally {
    await rm(dir, { recursive: true })
  }
}

async function ingested(data: string, kind: 'with' | 'without', seconds: number): Promise<number> {
  const config = `${data}.toml`
  await writeFile(config, definitions(kind === 'with'))
  const up = await startUp(data, ['--agent-enabled', 'false', '--config', config])
  try {
    const { port } = up.collector
    const options = {
      port,
      connections: CONNECTIONS,
      seconds,
      rate: 0,
      acks: 'messages',
      varied: true,
    } as const
    return median((await send({ ...options, dataset: 'samples' })).perSecond)
  } finally {
    await up.end('SIGTERM')
    await rm(data, { recursive: true })
  }
}

/** The columns of `host`. */
function definitions(quantiles: boolean): string {
  const gauges = ['cpu', 'ram', 'disk'].map((name) => `gauges.${name} = { unit = "%", min = 0, max = 1e15 }`)
  return `[datasets.samples]
keys = ["service"]
source = "host"
${gauges.join('\n')}

[views.sample_minute]
dataset = "samples"
key = ["service"]
quantiles = ${quantiles}
`
}

export function sketchesText({ seconds, pairs }: Paired): string {
  const lines = pairs.map((pair, i) => {
    const ratio = (pair.with / pair.without).toFixed(2)
    return `pair ${i + 1}   with percentiles ${thousands(pair.with)}, without ${thousands(pair.without)}; with / without = ${ratio}`
  })
  const ratio = median(pairs.map((pair) => pair.with / pair.without))
  const middle = `median: with / without = ${budgetText(ratio, { atLeast: RATIO_MIN }, times)}`
  return [`${machine()}; ${CONNECTIONS} connections, ${seconds} seconds each`, '', ...lines, middle].join(
    '\n',
  )
}
