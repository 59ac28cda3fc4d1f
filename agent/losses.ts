/**
 * Which of the samples lost were said in the log, and which the collector was told of. In the log stands how many are lost
 * when an outage's first one is, and again when the collector knows of all.
 */
export class LossReport {
  /** Samples lost that the collector was told of, and those that it is being told of. */
  #told = 0
  #telling = 0
  /** Whether this outage's losses were said, and how many had been lost when any last were. */
  #isSaid = false
  #saidOf = 0

  /** Returns how many to say in the log, now that so many are lost in all; null when there is nothing to say. */
  toSay(lost: number): number | null {
    if (this.#isSaid || lost <= Math.max(this.#told, this.#saidOf)) return null
    this.#isSaid = true
    this.#saidOf = lost
    return lost - this.#told
  }

  /** Returns how many to tell the collector in a hello. */
  tell(lost: number): number {
    this.#telling = lost - this.#told
    return this.#telling
  }

  /** The collector welcomed that hello. Returns how many more it knows of. */
  welcomed(): number {
    const known = this.#telling
    this.#told += known
    this.#telling = 0
    return known
  }

  /** Nothing waits any more: what is lost from now on belongs to another outage. */
  caughtUp(): void {
    this.#isSaid = false
  }
}

/** Returns `1 sample is`, `2 samples are`. */
export function counted(samples: number): string {
  return samples === 1 ? '1 sample is' : `${samples} samples are`
}
