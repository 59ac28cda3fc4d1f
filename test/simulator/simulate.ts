import { explain } from './explain.ts'
import { parseFaults } from './faults.ts'
import { type Report, simulateInJobs } from './jobs.ts'
import { type Options, parseOptions, USAGE } from './options.ts'
import { planOf } from './plan.ts'
import { runPlan } from './run.ts'
import { addTally, emptyTally, type Tally } from './tally.ts'

try {
  const options = parseOptions(process.argv.slice(2))
  if (options === null) console.log(USAGE)
  else process.exitCode = options.jobs > 1 ? await inJobs(options) : await inThisProcess(options)
} catch (error) {
  console.error(`simulate: ${(error as Error).message}`)
  process.exitCode = 2
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
  const { stderr } = process
  const { tally, failed } = await simulateInJobs(options, (done) => {
    if (stderr.isTTY) stderr.write(`\r${done} of ${options.seeds} seeds`)
  })
  if (stderr.isTTY) stderr.write('\n')
  if (failed !== null) return inThisProcess({ ...options, seed: failed, seeds: 1 })
  sum(options.seed, options.seeds, tally, startedMs)
  return 0
}

function sum(seed: number, seeds: number, total: Tally, startedMs: number): void {
  const { virtualMs, ...counts } = total
  const parts = Object.entries(counts).map(([name, n]) => `${n.toLocaleString('en')} ${name}`)
  const seconds = ((performance.now() - startedMs) / 1_000).toFixed(1)
  const days = (virtualMs / 86_400_000).toFixed(1)
  const which = seeds === 1 ? `seed ${seed} holds` : `seeds ${seed} to ${seed + seeds - 1} hold`
  console.log(`${which}: ${days} simulated days in ${seconds} s`)
  console.log(parts.join(', '))
}
