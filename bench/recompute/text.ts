import { version as duckdbVersion } from '@duckdb/node-api'
import { budgetText, times } from '../budget.ts'
import { machine, ms } from '../measure.ts'
import type { FullRecompute, LateRecompute, Recompute } from './recompute.ts'
import { commandMs, handMs, peakMb, plainMs, type Rounds, runMs } from './rounds.ts'

/** A whole run, its publish included, over what the same files take by hand. */
const RATIO = { atMost: 1.3 }
const PEAK_MB = { atMost: 700 }
/** A late hour in the longest history over one in the shortest. */
const FLAT = { atMost: 1.1 }

const mb = (value: number) => `${value.toFixed(0)} MB`
const count = (value: number) => value.toLocaleString('en')

/** What the benchmark prints. */
export function recomputeText({ full, late }: Recompute): string {
  const head = `recompute on ${machine()}, DuckDB ${duckdbVersion()}`
  return [head, ...full.map(fullText), ...(late.length > 0 ? [lateText(late)] : [])].join('\n\n')
}

function fullText(result: FullRecompute): string {
  const { name, messages, runs, handPeakMib } = result
  return `${name}: ${count(messages)} messages, ${count(runs[0]!.rows)} cells written, medians of ${runs.length}
  a run, publish included    ${ms(runMs(result))}; run / by hand = ${budgetText(runMs(result) / handMs(result), RATIO, times)}
  by hand                    ${ms(handMs(result))}, at most ${mb((handPeakMib * 2 ** 20) / 1e6)}; without sketches ${ms(plainMs(result))}
  the command, to its end    ${ms(commandMs(result))}
  peak memory of the command ${budgetText(peakMb(result), PEAK_MB, mb)}
  cells                      ${hashText(result)}`
}

function lateText(results: readonly LateRecompute[]): string {
  const [first] = results as [LateRecompute]
  const last = results.at(-1)!
  const lines = results.map(
    (one) =>
      `  in ${String(one.days).padStart(3)} days of history    ${ms(runMs(one))}; by hand ${ms(handMs(one))}; run / by hand = ${times(runMs(one) / handMs(one))}; the command ${ms(commandMs(one))}, at most ${mb(peakMb(one))}`,
  )
  return `messages late for one hour: ${count(first.runs[0]!.rows)} cells written, medians of ${first.runs.length}
${lines.join('\n')}
  ${last.days} days / ${first.days}               ${budgetText(runMs(last) / runMs(first), FLAT, times)} for the run; ${times(commandMs(last) / commandMs(first))} for the command
  cells                      ${hashText(last)}`
}

function hashText({ hashes }: Rounds): string {
  return `${Object.entries(hashes)
    .map(([view, hash]) => `${view} ${hash}`)
    .join(', ')}; the same by hand`
}
