import type { Clock } from '../../../schemas/ports/clock.ts'
import { networkOf, Windows } from '../windows.ts'

/** Wrong tokens of one id from one network, within the time; after them none of that id counts from there until it is over. */
export const GUESSES_MAX = 10
export const GUESSES_MS = 60_000

/**
 * Slows clients that guess tokens. It counts by the id that a token begins with: a client that tries many for one id is stopped, and others on the
 * same network, with tokens of their own, are not.
 */
export class Guesses {
  readonly #wrong: Windows

  constructor(clock: Clock) {
    this.#wrong = new Windows(clock, GUESSES_MS)
  }

  /** How long no such token counts from that address; 0 when one does. */
  waitMs(address: string, token: string): number {
    const key = keyOf(address, token)
    return this.#wrong.of(key) < GUESSES_MAX ? 0 : this.#wrong.leftMs(key)
  }

  /** One was wrong. */
  count(address: string, token: string): void {
    this.#wrong.count(keyOf(address, token))
  }
}

const ID = /^tmk_([0-9a-f]{8})_/

const keyOf = (address: string, token: string) => `${networkOf(address)} ${ID.exec(token)?.[1] ?? ''}`
