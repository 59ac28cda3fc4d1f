import { simRandom } from '../sim/random.ts'

/** The choices of one step. */
export class Dice {
  readonly #random: ReturnType<typeof simRandom>

  constructor(seed: number) {
    this.#random = simRandom(seed)
  }

  float = (): number => this.#random.float()

  below(n: number): number {
    return Math.floor(this.#random.float() * n)
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!
  }
}
