import type { Access } from '../../../schemas/ports/access.ts'
import type { Clock, Random } from '../../../schemas/ports/clock.ts'
import type { TokenRecord } from '../../../schemas/token.ts'

/** How long a browser stays signed in. */
export const SESSION_MS_MAX = 12 * 3_600_000
/** Sessions of one token; at a further one the oldest ends. */
export const SESSIONS_MAX = 100
const ID_BYTES = 32

export interface Session {
  readonly id: string
  readonly holder: TokenRecord
  readonly endsMs: number
}

/**
 * Browsers that showed a token. A session ends by itself, when it is signed out of, and with its token. It is kept in memory alone: after
 * a restart everybody signs in again.
 */
export class Sessions {
  readonly #access: Access
  readonly #clock: Clock
  readonly #random: Random
  /** By id, the oldest first. */
  readonly #sessions = new Map<string, Session>()
  readonly #listeners: (() => void)[] = []

  constructor(access: Access, { clock, random }: { clock: Clock; random: Random }) {
    this.#access = access
    this.#clock = clock
    this.#random = random
  }

  start(holder: TokenRecord): Session {
    const nowMs = this.#clock.nowMs()
    for (const old of this.#sessions.values()) if (!this.#counts(old, nowMs)) this.#sessions.delete(old.id)
    const same = [...this.#sessions.values()].filter((one) => one.holder.id === holder.id)
    if (same.length >= SESSIONS_MAX) this.#sessions.delete(same[0]!.id)
    const session = { id: this.#random.hex(ID_BYTES), holder, endsMs: nowMs + SESSION_MS_MAX }
    this.#sessions.set(session.id, session)
    return session
  }

  /** Null when there is none, or no more. */
  find(id: string): Session | null {
    const session = this.#sessions.get(id)
    return session !== undefined && this.#counts(session, this.#clock.nowMs()) ? session : null
  }

  /** It was signed out of. */
  end(id: string): void {
    this.#sessions.delete(id)
    for (const fn of this.#listeners) fn()
  }

  /** Calls back whenever one was signed out of. */
  onEnd(fn: () => void): void {
    this.#listeners.push(fn)
  }

  #counts({ holder, endsMs }: Session, nowMs: number): boolean {
    // A clock that was set back makes none longer.
    return nowMs < endsMs && endsMs - nowMs <= SESSION_MS_MAX && this.#access.isCurrent(holder)
  }
}
