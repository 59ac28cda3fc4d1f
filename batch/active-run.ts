import { isError, type TidemarkError } from '../schemas/errors.ts'
import type { RunRecord, RunStage, RunState } from '../schemas/ports/layers.ts'
import type { Stages } from './stages.ts'

/** What a run is, before it did anything. */
export interface RunAbout {
  readonly run: string
  readonly startedMs: number
  readonly full: boolean
  /** Whether a person asked for it: then it covers everything accepted before. */
  readonly asked: boolean
  readonly engine: string
}

/** A run that is going on: what it does, what came of it so far, and whether it is to stop. */
export class ActiveRun {
  readonly about: RunAbout
  /** Of the views that are done. */
  readonly records: RunRecord[] = []
  /** Of the views that were begun. */
  readonly stages: Stages[] = []
  #stage: RunStage = 'seal'
  /** Dates computed and in all, per view. */
  readonly #progress = new Map<string, { done: number; total: number }>()
  readonly #stop = new AbortController()

  constructor(about: RunAbout) {
    this.about = about
  }

  stage(stage: RunStage): void {
    this.#stage = stage
  }

  progress(view: string, done: number, total: number): void {
    this.#progress.set(view, { done, total })
  }

  /** Ends the run with that error; the first one counts. */
  stop(error: TidemarkError): void {
    this.#stop.abort(error)
  }

  /** Aborts when the run is to stop; its reason is what the run then ends with. */
  get signal(): AbortSignal {
    return this.#stop.signal
  }

  get isCancelled(): boolean {
    return isError(this.signal.reason, 'E_CANCELLED')
  }

  /** What `work` gives. Throws at once when the run is to stop, and leaves `work` to itself. */
  async unlessStopped<T>(work: Promise<T>): Promise<T> {
    const { promise: stopped, reject } = Promise.withResolvers<never>()
    const stop = () => reject(this.signal.reason)
    if (this.signal.aborted) stop()
    this.signal.addEventListener('abort', stop)
    try {
      return await Promise.race([stopped, work])
    } finally {
      this.signal.removeEventListener('abort', stop)
    }
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
      records: [...this.records],
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
