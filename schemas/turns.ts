import { describeError } from '../schemas/errors.ts'

/**
 * One kind of work that is asked for again and again. It goes one at a time; who asks while it waits for its turn shares
 * that turn, so it always begins after the call. A failure is said once and reaches those who asked, not the next turn.
 */
export class Turns {
  /** Why the last turn failed; null when it did not. */
  failing: string | null = null
  readonly #work: () => Promise<void>
  readonly #logLine: (line: string) => void
  #last: Promise<void> = Promise.resolve()
  #waiting: Promise<void> | null = null
  #ended = false

  constructor(work: () => Promise<void>, logLine: (line: string) => void) {
    this.#work = work
    this.#logLine = logLine
  }

  /** Works once more; at once, or when the turn that is going on has ended. */
  take(): Promise<void> {
    if (this.#waiting === null) {
      const turn = this.#last.then(() => this.#begin())
      this.#waiting = turn
      this.#last = turn.catch(() => {})
    }
    return this.#waiting
  }

  async #begin(): Promise<void> {
    this.#waiting = null
    if (this.#ended) return
    try {
      await this.#work()
      this.failing = null
    } catch (error) {
      this.failing = describeError(error)
      this.#logLine(this.failing)
      throw error
    }
  }

  /** No turn begins any more. Resolves when the one that is going on has ended. */
  async end(): Promise<void> {
    this.#ended = true
    await this.#last
  }
}
