import type { Log } from '../../log/port.ts'
import type { Clock } from '../../schemas/ports/clock.ts'
import { AHEAD_MS_MAX, CLOCK_SAID_MS, CLOCK_WAIT_MS_MAX, STEP_BACK_MS_MIN } from './limits.ts'

/** A clock that shows less is wrong: this was written later. */
const CLOCK_MS_MIN = Date.UTC(2026, 0, 1)

export interface OwnClockDeps {
  readonly log: Pick<Log, 'leastClockMs'>
  readonly clock: Clock
  logLine(line: string): void
}

/**
 * Whether the clock of this machine can be believed. It cannot while it stands before what it showed, which the log
 * knows across restarts: a leap ahead counts only once it has stood for ten minutes. What seems
 * dated too far ahead is then kept by its sender, if that keeps anything, since it may be the clock that is wrong.
 */
export class OwnClock {
  readonly #deps: OwnClockDeps
  /** Senders that were told to come back when a clock is set. */
  refused = 0
  /** Whether one was, not so long ago. */
  readonly #said: Lately
  /** Whether one was that shows what this clock showed. */
  readonly #doubted: Lately
  /** Set while senders of which no clock is known wait for this one. */
  #cancelWait: (() => void) | null = null
  #hasWaited = false

  constructor(deps: OwnClockDeps) {
    this.#deps = deps
    this.#said = new Lately(deps.clock)
    this.#doubted = new Lately(deps.clock)
  }

  #leastMs(): number {
    return Math.max(this.#deps.log.leastClockMs(), CLOCK_MS_MIN)
  }

  /** How long the clock stands before what it must show at least. */
  behindMs(): number {
    return Math.max(0, this.#leastMs() - this.#deps.clock.nowMs())
  }

  /** Whether the clock went back by more than small corrections, since it stood `behindMs` before. */
  wentBack(behindMs: number): boolean {
    return this.behindMs() > behindMs + STEP_BACK_MS_MIN
  }

  /**
   * Whether a sender that does not say what its clock shows is to keep what is ahead of this one: where this one went back, and for an
   * hour at most. A clock that was ahead and is right again would hold up that sender for as long as it was ahead.
   */
  isWaitedFor(): boolean {
    if (!this.wentBack(0)) {
      this.#cancelWait?.()
      this.#cancelWait = null
      this.#hasWaited = false
      return false
    }
    this.#cancelWait ??= this.#deps.clock.after(CLOCK_WAIT_MS_MAX, () => {
      this.#hasWaited = true
    })
    return !this.#hasWaited
  }

  /**
   * Notes that a sender was told to come back, and says so where it was not said lately. `showsMs` is what its clock shows, null where it does
   * not say: one that is behind what this clock showed, too, does not speak for that.
   */
  sendsAway(remote: string, reason: string, showsMs: number | null): void {
    this.refused += 1
    if (!this.#said.is)
      this.#deps.logLine(
        `collector: ${reason}; sender ${remote} is to keep its messages until it is set right (E_CLOCK)`,
      )
    this.#said.note()
    if (showsMs === null || showsMs + AHEAD_MS_MAX >= this.#leastMs()) this.#doubted.note()
  }

  /** Why senders keep their messages; null while none has to, or its own clock may be the one that is wrong. */
  reason(): string | null {
    if (!this.#doubted.is || !this.wentBack(0)) return null
    const seconds = Math.round(this.behindMs() / 1_000)
    return `the clock of this machine stands at least ${seconds} s before what it showed; senders keep what is ahead of it`
  }

  close(): void {
    this.#said.close()
    this.#doubted.close()
    this.#cancelWait?.()
  }
}

/** Whether something was noted within `CLOCK_SAID_MS`. */
class Lately {
  readonly #clock: Clock
  is = false
  #cancel = () => {}

  constructor(clock: Clock) {
    this.#clock = clock
  }

  note(): void {
    this.is = true
    this.#cancel()
    this.#cancel = this.#clock.after(CLOCK_SAID_MS, () => {
      this.is = false
    })
  }

  close(): void {
    this.#cancel()
  }
}
