import type { Clock } from '../../../schemas/ports/clock.ts'

/** Wrong tokens of one id from one network, within the time; after them none of that id counts from there until it is over. */
export const GUESSES_MAX = 10
export const GUESSES_MS = 60_000
/** Networks and ids that are remembered; of more the oldest are forgotten. */
const REMEMBERED_MAX = 10_000

/**
 * Slows those who guess tokens. It counts by the id that a token begins with: who tries many for one id is stopped, and others on the
 * same network, with tokens of their own, are not.
 */
export class Guesses {
  readonly #clock: Clock
  readonly #wrong = new Map<string, { count: number; readonly untilMs: number }>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** How long no such token counts from that address; 0 when one does. */
  waitMs(address: string, token: string): number {
    const wrong = this.#wrong.get(keyOf(address, token))
    if (wrong === undefined || wrong.count < GUESSES_MAX) return 0
    return Math.min(GUESSES_MS, Math.max(0, wrong.untilMs - this.#clock.nowMs()))
  }

  /** One was wrong. */
  count(address: string, token: string): void {
    const key = keyOf(address, token)
    const nowMs = this.#clock.nowMs()
    const wrong = this.#wrong.get(key)
    if (wrong !== undefined && wrong.untilMs > nowMs) {
      wrong.count++
      return
    }
    this.#wrong.delete(key)
    if (this.#wrong.size >= REMEMBERED_MAX) this.#wrong.delete(this.#wrong.keys().next().value!)
    this.#wrong.set(key, { count: 1, untilMs: nowMs + GUESSES_MS })
  }
}

const ID = /^tmk_([0-9a-f]{8})_/

const keyOf = (address: string, token: string) => `${networkOf(address)} ${ID.exec(token)?.[1] ?? ''}`

/** Of IPv6 the half that a provider gives one customer: the other is theirs to choose. */
function networkOf(address: string): string {
  if (!address.includes(':') || address.includes('.')) return address
  const [head = '', tail] = address.split('::', 2)
  const groups = head.split(':').filter((group) => group !== '')
  const left = tail === undefined ? 0 : 8 - groups.length - tail.split(':').length
  return [...groups, ...Array(Math.max(0, left)).fill('0')].slice(0, 4).join(':')
}
