import { version as duckdbVersion } from '@duckdb/node-api'
import { machine, median } from '../measure.ts'
import type { EngineName, EnginesResult, Measured } from './engines.ts'

/** Fleets for which is computed what a year's recompute takes; each host sends every 10 s. */
const FLEETS = [10_000, 1_000_000]
const INTERVAL_SECONDS = 10
const YEAR_SECONDS = 365 * 86_400

const ABOUT: { readonly [engine in EngineName]: string } = {
  duckdb: 'DuckDB',
  spark: 'Spark',
  mrjob: 'mrjob -r local, one view, no sketches',
}

/** What the benchmark prints. */
export function enginesText({ size, measured, hashes }: EnginesResult): string {
  const counts = [...new Set(measured.map(({ messages }) => messages))]
  const blocks = counts.map((messages, i) => {
    const own = measured.filter((one) => one.messages === messages)
    const base = own[0]!
    const lines = own.map(
      (one) =>
        `  ${ABOUT[one.engine].padEnd(37)} ${seconds(wallOf(one))}, CPU ${seconds(cpuOf(one))}; beside ${base.engine}: time ${(wallOf(one) / wallOf(base)).toFixed(1)}, CPU ${(cpuOf(one) / cpuOf(base)).toFixed(1)}`,
    )
    const cells = Object.entries(hashes[i]!).map(([view, hash]) => `${view} ${hash}`)
    return [
      `${messages.toLocaleString('en')} messages`,
      ...lines,
      `  the same cells: ${cells.join(', ')}`,
    ].join('\n')
  })
  const factors = size.engines.map((engine) => {
    const { startSeconds, messageUs } = factorOf(measured.filter((one) => one.engine === engine))
    const years = FLEETS.map((hosts) => {
      const hours = ((hosts / INTERVAL_SECONDS) * YEAR_SECONDS * messageUs) / 1e6 / 3_600
      return `${hosts.toLocaleString('en')} hosts ${hours.toFixed(0)} core hours`
    })
    return `  ${ABOUT[engine].padEnd(37)} ${messageUs.toFixed(2)} µs a message and ${seconds(startSeconds)} to start; a year's recompute of ${years.join(', of ')}`
  })
  const where = size.hasCluster ? 'Spark a master and two workers' : 'Spark two threads'
  return `engines on ${machine()}, DuckDB ${duckdbVersion()}, ${where}; whole commands, ${size.rounds === 1 ? 'one round' : `medians of ${size.rounds} rounds`}, in turn

${blocks.join('\n\n')}${counts.length < 2 ? '' : `\n\nCPU, of the difference between the two sizes\n${factors.join('\n')}`}`
}

/** Of a small history and a large one. */
export function factorOf(measured: readonly Measured[]): { startSeconds: number; messageUs: number } {
  const [small, large] = [measured[0]!, measured.at(-1)!]
  const messageUs = ((cpuOf(large) - cpuOf(small)) / (large.messages - small.messages)) * 1e6
  return { messageUs, startSeconds: cpuOf(small) - (messageUs * small.messages) / 1e6 }
}

const wallOf = ({ taken }: Measured) => median(taken.map(({ wallMs }) => wallMs)) / 1_000
const cpuOf = ({ taken }: Measured) => median(taken.map(({ cpuSeconds }) => cpuSeconds))
const seconds = (value: number) => `${value.toFixed(1)} s`
