import type { TidemarkError } from '../schemas/errors.ts'
import type { RunRecord, RunStage, RunState } from '../schemas/ports/layers.ts'
import type { RunAbout } from './view-run.ts'

/** A run that is going on: what it does, and whether it is to stop. */
export class ActiveRun {
  readonly about: RunAbout
  readonly records: RunRecord[] = []
  #stage: RunStage = 'seal'
  /** Dates computed and in all, per view. */
  readonly #progress = new Map<string, { done: number; total: number }>()
  #stop: TidemarkError | null = null

  constructor(about: RunAbout) {
    this.about = about
  }

  stage(stage: RunStage): void {
    this.#stage = stage
  }

  progress(view: string, done: number, total: number): void {
    this.#progress.set(view, { done, total })
  }

  /** Lets the run end at its next step, with that error. */
  stop(error: TidemarkError): void {
    this.#stop ??= error
  }

  /** Throws when the run is to stop. */
  proceed(): void {
    if (this.#stop !== null) throw this.#stop
  }

  get isCancelled(): boolean {
    return this.#stop?.code === 'E_CANCELLED'
  }

  state(): RunState {
    const all = [...this.#progress.values()]
    const sum = (of: 'done' | 'total') => all.reduce((so, one) => so + one[of], 0)
    return {
      run: this.about.run,
      state: 'running',
      full: this.about.full,
      startedMs: this.about.startedMs,
      stage: this.#stage,
      progress: all.length === 0 ? null : { done: sum('done'), total: sum('total') },
      records: this.records,
    }
  }
}

/** The state of a run that was recorded; null without records. */
export function endedRun(records: readonly RunRecord[]): RunState | null {
  const [first] = records
  if (first === undefined) return null
  const { run, startedMs } = first
  const full = records.some((record) => record.full)
  return { run, state: 'ended', full, startedMs, stage: null, progress: null, records }
}
