import { describeError, TidemarkError } from './errors.ts'
import type { Clock } from './ports/clock.ts'

export interface CoalescedOptions {
  /** Told why a run failed, once until one succeeds. */
  say?(reason: string): void
  /** So long after a run that failed it is tried again, unasked. */
  readonly retry?: { readonly clock: Clock; readonly ms: number }
}

/**
 * One kind of work that is asked for again and again, like reading what is new. It runs one at a time, and what is asked for
 * during a run is done by one more run behind it, which all callers share. So a run always begins after it was asked for,
 * and however many ask, at most one waits.
 *
 *     idle ──run──▶ running ──run──▶ running, another waits ──end──▶ running
 *       ▲              │                   │        ▲
 *       └─────end──────┘                   └──run───┘
 */
export class Coalesced<T = void> {
  readonly #work: () => Promise<T>
  readonly #options: CoalescedOptions
  /** Resolves when the run that is going on has ended, however it did. */
  #running: Promise<void> | null = null
  #waiting: Promise<T> | null = null
  #failing: string | null = null
  #closed = false
  #cancelRetry = () => {}

  constructor(work: () => Promise<T>, options: CoalescedOptions = {}) {
    this.#work = work
    this.#options = options
  }

  /** Why the last run failed; null when it did not. */
  get failing(): string | null {
    return this.#failing
  }

  /** Does the work: at once, or when the run that is going on has ended. Throws what the work throws, and `E_CLOSED`. */
  run(): Promise<T> {
    if (this.#running === null) return this.#begin()
    this.#waiting ??= this.#running.then(() => {
      this.#waiting = null
      return this.#begin()
    })
    return this.#waiting
  }

  /** The same for callers that need no result: resolves when that run has ended, however it did. */
  async kick(): Promise<void> {
    await this.run().catch(() => {})
  }

  #begin(): Promise<T> {
    if (this.#closed) {
      this.#running = null
      return Promise.reject(new TidemarkError('E_CLOSED', 'no work is begun any more'))
    }
    const run = this.#attempt()
    const ended: Promise<void> = run
      .then(
        () => {},
        () => {},
      )
      .then(() => {
        if (this.#waiting === null) this.#running = null
      })
    this.#running = ended
    return run
  }

  async #attempt(): Promise<T> {
    const { say, retry } = this.#options
    this.#cancelRetry()
    try {
      const result = await this.#work()
      this.#failing = null
      return result
    } catch (error) {
      const wasFailing = this.#failing !== null
      this.#failing = describeError(error)
      if (!this.#closed) {
        if (!wasFailing) say?.(this.#failing)
        if (retry !== undefined) this.#cancelRetry = retry.clock.after(retry.ms, () => void this.kick())
      }
      throw error
    }
  }

  /** No run begins any more, not even one that waits. Resolves when the one that is going on has ended. */
  async close(): Promise<void> {
    this.#closed = true
    this.#cancelRetry()
    await this.#running
  }
}
