import type { Clock } from '../../schemas/ports/clock.ts'
import { drain } from './incarnation.ts'

interface Timer {
  readonly atMs: number
  readonly order: number
  readonly fn: () => void
}

/** A clock that moves only when told to. Timers fire in the order of their times, then of their making. */
export class SimClock implements Clock {
  #nowMs: number
  #made = 0
  readonly #timers = new Set<Timer>()

  constructor(startMs: number) {
    this.#nowMs = startMs
  }

  nowMs(): number {
    return this.#nowMs
  }

  after(ms: number, fn: () => void): () => void {
    const timer = { atMs: this.#nowMs + Math.max(0, ms), order: this.#made++, fn }
    this.#timers.add(timer)
    return () => void this.#timers.delete(timer)
  }

  /** Timers that wait. */
  get pending(): number {
    return this.#timers.size
  }

  /** Sets the wall time without firing anything: a clock that was corrected. */
  step(ms: number): void {
    this.#nowMs += ms
  }

  /** Lets `ms` pass: fires every timer that falls due, and lets what it started run before the next. */
  async advance(ms: number): Promise<void> {
    await drain()
    const untilMs = this.#nowMs + ms
    for (let next = this.#next(untilMs); next !== null; next = this.#next(untilMs)) {
      this.#timers.delete(next)
      this.#nowMs = Math.max(this.#nowMs, next.atMs)
      next.fn()
      await drain()
    }
    this.#nowMs = untilMs
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
