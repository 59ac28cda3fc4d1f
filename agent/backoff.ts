import type { Random } from '../schemas/ports/clock.ts'

const BACKOFF_MS_MIN = 500
const BACKOFF_MS_MAX = 30_000

/** How long to wait before the next attempt: twice as long each time, up to 30 s. */
export class Backoff {
  readonly #random: Random
  #ms = BACKOFF_MS_MIN

  constructor(random: Random) {
    this.#random = random
  }

  /** Returns the wait, in milliseconds. Half of it is chance, so that a fleet does not come back all at once. */
  nextMs(): number {
    const ms = this.#ms * (0.5 + this.#random.float() / 2)
    this.#ms = Math.min(BACKOFF_MS_MAX, this.#ms * 2)
    return ms
  }

  /** An attempt succeeded. */
  reset(): void {
    this.#ms = BACKOFF_MS_MIN
  }

  /** Only somebody's doing helps. */
  slow(): void {
    this.#ms = BACKOFF_MS_MAX
  }
}
