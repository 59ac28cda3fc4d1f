import { describeError } from '../schemas/errors.ts'
import type { Clock } from '../schemas/ports/clock.ts'
import type { Backlog } from './backlog.ts'
import { everyMultiple } from './grid.ts'
import { counted, type LossReport } from './losses.ts'

export interface SamplingDeps {
  readonly backlog: Backlog
  readonly losses: LossReport
  readonly clock: Clock
  /** Aborts when a sample that is being taken is not to be kept any more. */
  readonly signal: AbortSignal
  /** Returns the gauges now, in the order of those of the dataset. */
  sample(): Promise<number[]>
  /** Called before each sample, and after one that is kept. */
  due(): void
  kept(): void
  logLine(line: string): void
}

/** Puts a sample under `names` into the backlog now, and on every multiple of the interval. Returns what ends that. */
export function startSampling(names: readonly string[], intervalMs: number, deps: SamplingDeps): () => void {
  const { backlog, losses, clock, logLine } = deps

  async function sampleOnce() {
    deps.due()
    try {
      const gauges = await deps.sample()
      if (deps.signal.aborted) return
      await backlog.push({ names, timeMs: clock.nowMs(), gauges })
      const lost = losses.toSay(backlog.lost)
      if (lost !== null) logLine(`agent: ${counted(lost)} lost so far; the collector will hear how many`)
      deps.kept()
    } catch (error) {
      logLine(`agent: no sample: ${describeError(error)}`)
    }
  }

  const stop = everyMultiple(clock, intervalMs, sampleOnce)
  void sampleOnce()
  return stop
}
