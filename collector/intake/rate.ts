/** Whole seconds that a rate is the mean of. */
const WINDOW_S = 10

/** Counts how many a second there were lately: the mean of the last whole seconds. */
export class Rate {
  readonly #counts = new Array<number>(WINDOW_S + 1).fill(0)
  #second = 0

  add(n: number, nowMs: number): void {
    this.#turnTo(nowMs)
    this.#counts[this.#second % this.#counts.length]! += n
  }

  perSecond(nowMs: number): number {
    this.#turnTo(nowMs)
    const running = this.#counts[this.#second % this.#counts.length]!
    return (this.#counts.reduce((sum, n) => sum + n, 0) - running) / WINDOW_S
  }

  /** Forgets the seconds that have left the window; a clock that steps back begins anew. */
  #turnTo(nowMs: number): void {
    const second = Math.floor(nowMs / 1000)
    if (second < this.#second || second - this.#second > WINDOW_S) this.#counts.fill(0)
    else for (let s = this.#second + 1; s <= second; s++) this.#counts[s % this.#counts.length] = 0
    this.#second = second
  }
}
