import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Options } from './options.ts'
import { addTally, emptyTally, type Tally } from './tally.ts'

const SIMULATE = fileURLToPath(new URL('simulate.ts', import.meta.url))
/** Seeds that one process is given, at most. */
const SHARE_MAX = 50

/** What a process that simulates every so many seeds tells the one that started it. */
export interface Report {
  readonly tally: Tally
  /** A seed that fails: the lowest found; null when all hold. */
  readonly failed: number | null
}

/** Deals the seeds out to several processes, until one fails. */
export async function simulateInJobs(
  options: Omit<Options, 'only' | 'trace' | 'brief'>,
  progress: (done: number) => void = () => {},
): Promise<Report> {
  const { seed: first, seeds, jobs } = options
  const total = emptyTally()
  const share = Math.max(1, Math.min(SHARE_MAX, Math.ceil(seeds / jobs)))
  let next = first
  let failed: number | null = null
  const end = first + seeds
  await Promise.all(
    Array.from({ length: jobs }, async () => {
      while (next < end && failed === null) {
        const seed = next
        next = Math.min(end, next + share)
        const report = await simulateElsewhere(options, seed, next - seed)
        addTally(total, report.tally)
        if (report.failed !== null) failed = Math.min(failed ?? Number.POSITIVE_INFINITY, report.failed)
        progress(next - first)
      }
    }),
  )
  return { tally: total, failed }
}

function simulateElsewhere(
  { steps, faults, engine }: Pick<Options, 'steps' | 'faults' | 'engine'>,
  seed: number,
  seeds: number,
): Promise<Report> {
  const flags = { seed, seeds, steps, faults, engine, jobs: 1 }
  const args = Object.entries(flags).flatMap(([name, value]) => [`--${name}`, String(value)])
  return new Promise((resolve, reject) => {
    const child = fork(SIMULATE, args, { execArgv: [], stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
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
