import type { Dataset } from '../schemas/dataset.ts'
import { describeError } from '../schemas/errors.ts'
import type { Clock } from '../schemas/ports/clock.ts'
import type { Backlog } from './backlog.ts'
import { everyMultiple } from './grid.ts'
import { counted, type LossReport } from './losses.ts'

export interface SamplingDeps {
  readonly dataset: Dataset
  readonly backlog: Backlog
  readonly losses: LossReport
  readonly clock: Clock
  /** Aborts when a sample that is being taken is not to be kept any more. */
  readonly signal: AbortSignal
  /** Returns the gauges now, in the order of those of the dataset; NaN for one that cannot be had. */
  sample(): Promise<number[]>
  /** Called before each sample, and after one that is kept. */
  due(): void
  kept(): void
  logLine(line: string): void
}

/** Puts a sample under `names` into the backlog now, and on every multiple of the interval. Returns what ends that. */
export function startSampling(names: readonly string[], intervalMs: number, deps: SamplingDeps): () => void {
  const { backlog, losses, clock, signal, logLine } = deps
  const whole = new WholeSamples(deps.dataset, logLine)
  /** Why there is no sample; said once. */
  let failure = ''

  async function sampleOnce() {
    deps.due()
    try {
      const gauges = await deps.sample()
      if (signal.aborted || !whole.isWhole(gauges)) return
      await backlog.push({ names, timeMs: clock.nowMs(), gauges })
      failure = ''
      const lost = losses.toSay(backlog.lost)
      if (lost !== null) logLine(`agent: ${counted(lost)} lost so far; the collector will hear how many`)
      deps.kept()
    } catch (error) {
      const why = describeError(error)
      if (why !== failure) logLine(`agent: no sample: ${why}`)
      failure = why
    }
  }

  const stop = everyMultiple(clock, intervalMs, sampleOnce)
  void sampleOnce()
  return stop
}

/**
 * A sample without a gauge that its dataset requires would be refused by the collector, and with another number in its place be
 * a lie: it is left out. Says so once, and how many were when they are whole again.
 */
class WholeSamples {
  readonly #dataset: Dataset
  readonly #logLine: (line: string) => void
  #leftOut = 0

  constructor(dataset: Dataset, logLine: (line: string) => void) {
    this.#dataset = dataset
    this.#logLine = logLine
  }

  isWhole(gauges: readonly number[]): boolean {
    const lacking = this.#dataset.gauges.filter(({ optional }, g) => !optional && Number.isNaN(gauges[g]))
    if (lacking.length > 0) {
      const names = lacking.map(({ name }) => name).join(' and ')
      if (this.#leftOut === 0)
        this.#logLine(`agent: without ${names} there is no sample; they are left out until it can be had`)
      this.#leftOut += 1
      return false
    }
    if (this.#leftOut > 0) this.#logLine(`agent: samples are whole again; ${this.#leftOut} were left out`)
    this.#leftOut = 0
    return true
  }
}
