import { createHash } from 'node:crypto'
import type { SimClock } from '../sim/clock.ts'

/** What happened, in words and as a hash: two runs with equal hashes did the same, call by call. */
export class Trace {
  readonly lines: string[] = []
  readonly #hash = createHash('sha256')
  readonly #clock: SimClock

  constructor(clock: SimClock) {
    this.#clock = clock
  }

  /** Something a person wants to read. */
  say(line: string): void {
    const at = `${(this.#clock.passedMs / 1_000).toFixed(3).padStart(10)} s`
    this.lines.push(`${at}  ${line}`)
    this.#hash.update(`${at}${line}\n`)
  }

  /** A call of a port: for the hash alone. */
  call(port: string, method: string, args: readonly unknown[]): void {
    const [first, second] = args
    const size = first instanceof Uint8Array ? first : second instanceof Uint8Array ? second : null
    this.#hash.update(`${this.#clock.passedMs} ${port} ${method} ${String(first)} ${size?.length ?? ''}\n`)
    if (size !== null) this.#hash.update(size)
  }

  /** Ends the hash. */
  digest(): string {
    return this.#hash.digest('hex').slice(0, 16)
  }
}
