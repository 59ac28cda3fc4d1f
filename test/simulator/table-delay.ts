import type { Table } from '../../lake/delta/port.ts'
import { type Clock, type Random, sleep } from '../../schemas/ports/clock.ts'

/** Makes one layer slow: its calls of tables take their time until that is over. */
export class TableDelay {
  readonly #clock: Clock
  readonly #random: Random
  #maxMs = 0
  #over = new AbortController()

  constructor(clock: Clock, random: Random) {
    this.#clock = clock
    this.#random = random
  }

  begin(maxMs: number): void {
    this.#maxMs = maxMs
  }

  /** Calls that wait go on. */
  end(): void {
    this.#maxMs = 0
    this.#over.abort()
    this.#over = new AbortController()
  }

  /** `table` as the layer sees it. */
  on(table: Table): Table {
    return new Proxy(table, {
      get: (target, name) => {
        const value = Reflect.get(target, name, target)
        if (typeof value !== 'function') return value
        return async (...args: unknown[]) => {
          if (this.#maxMs > 0) await sleep(this.#clock, this.#random.float() * this.#maxMs, this.#over.signal)
          return value.apply(target, args)
        }
      },
    })
  }
}
