import { describeError } from '../../schemas/errors.ts'
import type { Clock } from '../../schemas/ports/clock.ts'
import { Limited } from './limited.ts'

export interface ReadingDeps {
  readonly clock: Clock
  logLine(line: string): void
}

/** Gauges that are read together, with a time limit. That they cannot be had is said once, and once when they can again. */
export class Reading<T> {
  readonly #what: string
  readonly #limited: Limited<T>
  readonly #logLine: (line: string) => void
  #isFailing = false

  /** `what` names the gauges; `read` throws when they cannot be had. */
  constructor(what: string, read: () => Promise<T>, { clock, logLine }: ReadingDeps) {
    this.#what = what
    this.#limited = new Limited(clock, read)
    this.#logLine = logLine
  }

  /** Returns null while they cannot be had. */
  async value(): Promise<T | null> {
    try {
      const value = await this.#limited.answer()
      if (this.#isFailing) this.#logLine(`agent: ${this.#what} can be read again`)
      this.#isFailing = false
      return value
    } catch (error) {
      if (!this.#isFailing) this.#logLine(`agent: ${this.#what} cannot be read: ${describeError(error)}`)
      this.#isFailing = true
      return null
    }
  }
}
