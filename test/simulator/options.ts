import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { FAULTS, parseFaults, TASKS } from './faults.ts'

export const USAGE = `npm run simulate -- [--seed N] [--seeds COUNT] [--steps N] [--faults LIST] [--only STEPS] [--engine NAME]
                    [--jobs N] [--brief] [--trace]

  --seed N       the first seed; absent: a new one
  --seeds COUNT  so many seeds, one after the other (1)
  --steps N      steps of each (40)
  --faults LIST  all, none, or a list like crash,store-slow=3 (all)
  --only STEPS   of the seed's steps only these, like 1,4-7: what a failure was shortened to
  --engine NAME  what computes the runs: reference, or duckdb, which takes longer (reference)
  --jobs N       processes side by side (one a core, when there are many seeds)
  --brief        of a failure only its seed and what is wrong, not shortened
  --trace        show what happened, also where nothing failed

Faults:
${listed(FAULTS)}

Tasks:
${listed(TASKS)}
`

function listed(all: { readonly [name: string]: string }): string {
  return Object.entries(all)
    .map(([name, about]) => `  ${name.padEnd(14)} ${about}`)
    .join('\n')
}

export interface Options {
  readonly seed: number
  readonly seeds: number
  readonly steps: number
  readonly faults: string
  readonly only: ReadonlySet<number> | null
  readonly engine: 'reference' | 'duckdb'
  readonly jobs: number
  readonly trace: boolean
  readonly brief: boolean
}

/** Null when help is wanted; throws what is wrong with the arguments. */
export function parseOptions(args: readonly string[]): Options | null {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seed: { type: 'string' },
      seeds: { type: 'string', default: '1' },
      steps: { type: 'string', default: '40' },
      faults: { type: 'string', default: 'all' },
      only: { type: 'string' },
      engine: { type: 'string', default: 'reference' },
      jobs: { type: 'string' },
      trace: { type: 'boolean', default: false },
      brief: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return null
  const seeds = whole('seeds', values.seeds, 1)
  const { engine } = values
  if (engine !== 'reference' && engine !== 'duckdb')
    throw new Error(`--engine must be reference or duckdb, not ${engine}`)
  return {
    engine,
    seed: values.seed === undefined ? Math.floor(Math.random() * 1e9) : whole('seed', values.seed, 0),
    seeds,
    steps: whole('steps', values.steps, 0),
    faults: checked(values.faults),
    only: values.only === undefined ? null : parseSteps(values.only),
    jobs:
      values.jobs === undefined ? (seeds >= 20 ? availableParallelism() : 1) : whole('jobs', values.jobs, 1),
    trace: values.trace,
    brief: values.brief,
  }
}

function checked(faults: string): string {
  parseFaults(faults)
  return faults
}

function whole(name: string, text: string, min: number): number {
  const value = Number(text)
  if (text === '' || !Number.isSafeInteger(value) || value < min)
    throw new Error(`--${name} must be a whole number, at least ${min}, not ${JSON.stringify(text)}`)
  return value
}

/** `1,4-7` */
function parseSteps(text: string): Set<number> {
  const steps = new Set<number>()
  for (const part of text.split(',')) {
    const [from, to = from] = part.split('-').map((step) => whole('only', step, 0)) as [number, number?]
    for (let step = from; step <= to; step++) steps.add(step)
  }
  return steps
}
