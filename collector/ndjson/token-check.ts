import type { ErrorCode } from '../../schemas/errors.ts'
import type { Access } from '../../schemas/ports/access.ts'
import type { Clock } from '../../schemas/ports/clock.ts'
import type { Hello } from './hello.ts'
import { HELLO_MS_MAX } from './line-limits.ts'
import type { Refusal } from './refusals.ts'

/**
 * Checks the access token of one connection. A peer that needs one must show it in line 1, soon, and is closed when it is
 * revoked. A peer without leaves no trace: it is told why, and nothing that it sent goes into `rejects/`.
 */
export class TokenCheck {
  readonly #access: Access | null
  readonly #refuse: (code: ErrorCode, reason: string) => void
  readonly #needed: boolean
  /** The token that the peer showed; null when it needs none, or has shown none yet. */
  #token: string | null = null
  #cancelWait = () => {}

  /** `refuse` tells the peer why and closes the connection. */
  constructor(
    { access, clock }: { access: Access | null; clock: Clock },
    remote: string,
    refuse: (code: ErrorCode, reason: string) => void,
  ) {
    this.#access = access
    this.#refuse = refuse
    this.#needed = access?.required(remote) === true
    const wait = () => refuse('E_TOKEN', `no hello within ${HELLO_MS_MAX / 1_000} s`)
    if (this.#needed) this.#cancelWait = clock.after(HELLO_MS_MAX, wait)
  }

  /** Returns whether the peer may send, by what it said in line 1: a hello, or something else (null). */
  admits(hello: Hello | Refusal | null): boolean {
    if (!this.#needed) return true
    this.#cancelWait()
    this.#token = hello === null || 'code' in hello ? null : hello.token
    const reason =
      this.#token === null
        ? 'this collector needs an access token: {"hello":1,"agent":"<id>","token":"..."} as line 1'
        : objection(this.#access!, this.#token)
    if (reason !== null) this.#refuse('E_TOKEN', reason)
    return reason === null
  }

  /** Refuses a peer whose token is no longer valid: tokens came or went. */
  check(): void {
    const reason = this.#token === null ? null : objection(this.#access!, this.#token)
    if (reason !== null) this.#refuse('E_TOKEN', reason)
  }

  close(): void {
    this.#cancelWait()
  }
}

/** Returns what is wrong with a token; null when it lets its holder send. */
function objection(access: Access, token: string): string | null {
  const holder = access.holder(token)
  if (holder === null) return 'there is no such access token, or it was revoked'
  if (holder.role === 'viewer') return `the role of token ${holder.id} is viewer; agent or admin may send`
  return null
}
