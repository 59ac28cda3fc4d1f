import type { Clock } from '../../schemas/ports/clock.ts'

/** Log time is never further ahead than this of what the clock said at any time within as long before. */
export const LOG_TIME_AHEAD_MS_MAX = 10 * 60_000
/** Time between two looks at the clock. */
const LOOK_MS = 60_000
const LOOKS_KEPT = LOG_TIME_AHEAD_MS_MAX / LOOK_MS

/**
 * Log time: what the clock says, but never backwards, and with its leaps ahead damped.
 *
 *     clock      ──────╱▔▔▔▔╲──────     a leap that is taken back: log time is ahead by ten minutes at most
 *     clock      ──────╱▔▔▔▔▔▔▔▔▔▔▔     one that stands: believed after ten minutes
 *     clock      ▔▔▔▔▔▔╲___________     a step back: log time stands still until the clock has come there
 *
 * One block stamped months ahead would make log time stand still for months, and every agent forgotten.
 */
export class LogTime {
  readonly #clock: Clock
  #lastMs: number
  #leastMs = 0
  /** What the clock said at the last looks, oldest first, each with what has passed since. */
  #looks: number[]
  #cancel = () => {}

  /** Goes on from `lastMs`. The clock is believed as it is now. */
  constructor(clock: Clock, lastMs: number) {
    this.#clock = clock
    this.#lastMs = lastMs
    this.#looks = [clock.nowMs()]
    this.#arm()
  }

  #arm(): void {
    this.#cancel = this.#clock.after(LOOK_MS, () => {
      const passed = this.#looks.map((ms) => ms + LOOK_MS)
      this.#looks = [...passed.slice(1 - LOOKS_KEPT), this.#clock.nowMs()]
      this.leastMs()
      this.#arm()
    })
  }

  /** The log time of what is appended now. */
  next(): number {
    this.#lastMs = Math.max(this.#lastMs, this.#believed())
    return this.#lastMs
  }

  /** What a right clock shows at least: log time, also of when nothing was appended. */
  leastMs(): number {
    this.#leastMs = Math.max(this.#leastMs, this.#lastMs, this.#believed())
    return this.#leastMs
  }

  #believed(): number {
    return Math.min(this.#clock.nowMs(), Math.min(...this.#looks) + LOG_TIME_AHEAD_MS_MAX)
  }

  close(): void {
    this.#cancel()
  }
}
