import type { Clock } from '../../schemas/ports/clock.ts'
import { drain } from './incarnation.ts'

interface Timer {
  readonly atMs: number
  readonly order: number
  readonly fn: () => void
}

/**
 * A clock that moves only when told to. Timers fire in the order of their times, then of their making, and measure what
 * passed: a correction of the wall time (`step`) moves none of them.
 */
export class SimClock implements Clock {
  #passedMs = 0
  #wallMs: number
  #made = 0
  readonly #timers = new Set<Timer>()

  constructor(startMs: number) {
    this.#wallMs = startMs
  }

  nowMs(): number {
    return Math.floor(this.#wallMs + this.#passedMs)
  }

  /** Milliseconds that passed since it was made, whatever the wall time says. */
  get passedMs(): number {
    return this.#passedMs
  }

  after(ms: number, fn: () => void): () => void {
    const timer = { atMs: this.#passedMs + Math.max(0, ms), order: this.#made++, fn }
    this.#timers.add(timer)
    return () => void this.#timers.delete(timer)
  }

  /** Timers that wait. */
  get pending(): number {
    return this.#timers.size
  }

  /** Corrects the wall time by `ms`, which may be negative. */
  step(ms: number): void {
    this.#wallMs += ms
  }

  /** Lets `ms` pass: fires every timer that falls due, and lets what it started run before the next. */
  async advance(ms: number): Promise<void> {
    await drain()
    const untilMs = this.#passedMs + ms
    for (let next = this.#next(untilMs); next !== null; next = this.#next(untilMs)) {
      this.#timers.delete(next)
      this.#passedMs = Math.max(this.#passedMs, next.atMs)
      next.fn()
      await drain()
    }
    this.#passedMs = untilMs
    await drain()
  }

  #next(untilMs: number): Timer | null {
    let first: Timer | null = null
    for (const timer of this.#timers) {
      if (timer.atMs > untilMs) continue
      if (
        first === null ||
        timer.atMs < first.atMs ||
        (timer.atMs === first.atMs && timer.order < first.order)
      )
        first = timer
    }
    return first
  }
}
