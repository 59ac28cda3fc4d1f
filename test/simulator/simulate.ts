import { fork } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { explain } from './explain.ts'
import { FAULTS, parseFaults } from './faults.ts'
import { planOf } from './plan.ts'
import { runPlan } from './run.ts'
import { addTally, emptyTally, type Tally } from './tally.ts'

const USAGE = `npm run simulate -- [--seed N] [--seeds COUNT] [--steps N] [--faults LIST] [--only STEPS] [--engine NAME]
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
${Object.entries(FAULTS)
  .map(([name, about]) => `  ${name.padEnd(14)} ${about}`)
  .join('\n')}
`

interface Options {
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

/** What a process that simulates every so many seeds tells the one that started it. */
interface Report {
  readonly tally: Tally
  readonly failed: number | null
}

const options = readOptions()
if (options !== null)
  process.exitCode = options.jobs > 1 ? await inJobs(options) : await inThisProcess(options)

function readOptions(): Options | null {
  const { values } = parseArgs({
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
  if (values.help) {
    console.log(USAGE)
    return null
  }
  const seeds = Number(values.seeds)
  const { engine } = values
  if (engine !== 'reference' && engine !== 'duckdb')
    throw new Error(`--engine must be reference or duckdb, not ${engine}`)
  return {
    engine,
    seed: Number(values.seed ?? Math.floor(Math.random() * 1e9)),
    seeds,
    steps: Number(values.steps),
    faults: values.faults,
    only: values.only === undefined ? null : parseSteps(values.only),
    jobs: Number(values.jobs ?? (seeds >= 20 ? availableParallelism() : 1)),
    trace: values.trace,
    brief: values.brief,
  }
}

/** `1,4-7` */
function parseSteps(text: string): Set<number> {
  const steps = new Set<number>()
  for (const part of text.split(',')) {
    const [from, to = from] = part.split('-').map(Number) as [number, number?]
    for (let step = from; step <= to; step++) steps.add(step)
  }
  return steps
}

/** Simulates every seed here; stops at the first failure, which it shortens and explains. */
async function inThisProcess(options: Options): Promise<number> {
  const { seed, seeds, steps, faults, only, engine, trace, brief } = options
  const startedMs = performance.now()
  const total = emptyTally()
  const rates = parseFaults(faults)
  for (let at = seed; at < seed + seeds; at++) {
    const whole = planOf(at, steps, rates, engine)
    const plan =
      only === null ? whole : { ...whole, steps: whole.steps.filter(({ number }) => only.has(number)) }
    const outcome = await runPlan(plan)
    addTally(total, outcome.tally)
    if (trace) console.log([...outcome.lines, `trace hash ${outcome.hash}`].join('\n'))
    if (outcome.failure === null) continue
    process.send?.({ tally: total, failed: at } satisfies Report)
    if (brief) console.log(`seed ${at} fails: ${outcome.failure.message}`)
    else if (process.send === undefined) console.log(await explain(plan, outcome, { steps, faults, engine }))
    return 1
  }
  process.send?.({ tally: total, failed: null } satisfies Report)
  if (process.send === undefined) sum(seed, seeds, total, startedMs)
  return 0
}

/** Deals the seeds out to several processes; the first failure is explained by this one. */
async function inJobs(options: Options): Promise<number> {
  const startedMs = performance.now()
  const total = emptyTally()
  const share = Math.max(1, Math.min(50, Math.ceil(options.seeds / options.jobs)))
  let next = options.seed
  let failed: number | null = null
  const end = options.seed + options.seeds
  await Promise.all(
    Array.from({ length: options.jobs }, async () => {
      while (next < end && failed === null) {
        const seed = next
        next = Math.min(end, next + share)
        const report = await simulateElsewhere(options, seed, next - seed)
        addTally(total, report.tally)
        if (report.failed !== null) failed = Math.min(failed ?? Number.POSITIVE_INFINITY, report.failed)
        if (process.stderr.isTTY) process.stderr.write(`\r${next - options.seed} of ${options.seeds} seeds`)
      }
    }),
  )
  if (process.stderr.isTTY) process.stderr.write('\n')
  if (failed !== null) return inThisProcess({ ...options, seed: failed, seeds: 1 })
  sum(options.seed, options.seeds, total, startedMs)
  return 0
}

function simulateElsewhere({ steps, faults, engine }: Options, seed: number, seeds: number): Promise<Report> {
  const flags = { seed, seeds, steps, faults, engine, jobs: 1 }
  const args = Object.entries(flags).flatMap(([name, value]) => [`--${name}`, String(value)])
  return new Promise((resolve, reject) => {
    const child = fork(import.meta.filename, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
    let report: Report | null = null
    child.on('message', (got) => {
      report = got as Report
    })
    child.on('exit', (code) => {
      if (report !== null) resolve(report)
      else
        reject(
          new Error(`the simulation of seeds ${seed} to ${seed + seeds - 1} ended without a word (${code})`),
        )
    })
  })
}

function sum(seed: number, seeds: number, total: Tally, startedMs: number): void {
  const { virtualMs, ...counts } = total
  const parts = Object.entries(counts).map(([name, n]) => `${n.toLocaleString('en')} ${name}`)
  const seconds = ((performance.now() - startedMs) / 1_000).toFixed(1)
  const days = (virtualMs / 86_400_000).toFixed(1)
  console.log(`seeds ${seed} to ${seed + seeds - 1} hold: ${days} simulated days in ${seconds} s`)
  console.log(parts.join(', '))
}
