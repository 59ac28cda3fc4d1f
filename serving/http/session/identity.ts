import type { FastifyRequest } from 'fastify'
import { TidemarkError } from '../../../schemas/errors.ts'
import type { Access } from '../../../schemas/ports/access.ts'
import type { Clock, Random } from '../../../schemas/ports/clock.ts'
import type { TokenRecord } from '../../../schemas/token.ts'
import { isOwnSite } from '../site.ts'
import { sessionIdOf } from './cookie.ts'
import { Guesses } from './guesses.ts'
import { type Session, Sessions } from './sessions.ts'

/** Who a request is from. */
export interface Identity {
  readonly holder: TokenRecord
  /** Shown as bearer, which no page of another site can send. */
  readonly isBearer: boolean
  /** The session that it was known by; null when it showed a token. */
  readonly session: Session | null
}

/** Knows who asks: by a token in the request, or by a session that began with one. */
export class Identities {
  readonly access: Access
  readonly sessions: Sessions
  readonly guesses: Guesses

  constructor(access: Access, deps: { clock: Clock; random: Random }) {
    this.access = access
    this.sessions = new Sessions(access, deps)
    this.guesses = new Guesses(deps.clock)
  }

  /** Whether who asks must be known. */
  isRequired(request: FastifyRequest): boolean {
    return this.access.required(addressOf(request))
  }

  /**
   * Returns null for a request that shows nothing valid. Throws `E_GUESSES` for a client that showed too much that was wrong, where it must be known
   * who asks.
   */
  of(request: FastifyRequest): Identity | null {
    const shown = tokenOf(request)
    if (shown === null) return this.#bySession(request)
    const holder = this.isRequired(request)
      ? this.tried(request, shown.token)
      : this.access.holder(shown.token)
    return holder && { holder, isBearer: shown.isBearer, session: null }
  }

  /** The holder of a token that somebody tries; null when it is none. Throws `E_GUESSES`. */
  tried(request: FastifyRequest, token: string): TokenRecord | null {
    const address = addressOf(request)
    const waitMs = this.guesses.waitMs(address, token)
    if (waitMs > 0)
      throw new TidemarkError(
        'E_GUESSES',
        `too many wrong tokens came from ${address}; ask again in ${Math.ceil(waitMs / 1_000)} s`,
      )
    const holder = this.access.holder(token)
    if (holder === null) this.guesses.count(address, token)
    return holder
  }

  /** Whether somebody known is so still. */
  isCurrent({ holder, session }: Identity): boolean {
    return session === null ? this.access.isCurrent(holder) : this.sessions.find(session.id) !== null
  }

  #bySession(request: FastifyRequest): Identity | null {
    const id = sessionIdOf(request)
    if (id === null) return null
    // A link leads here from anywhere; what a page of another site loads or sends is not its user's wish.
    const isLink = request.headers['sec-fetch-mode'] === 'navigate' && request.method === 'GET'
    if (!isLink && !isOwnSite(request)) return null
    const session = this.sessions.find(id)
    return session && { holder: session.holder, isBearer: false, session }
  }
}

export const addressOf = ({ socket }: FastifyRequest) => socket.remoteAddress ?? 'unknown'

/** The token of a request, and whether it came as such and not as a password; null when it has none. */
function tokenOf({ headers: { authorization = '' } }: FastifyRequest): {
  readonly token: string
  readonly isBearer: boolean
} | null {
  const [, scheme, credentials] = /^(bearer|basic) +(\S+) *$/i.exec(authorization) ?? []
  if (credentials === undefined) return null
  if (scheme!.toLowerCase() === 'bearer') return { token: credentials, isBearer: true }
  const text = Buffer.from(credentials, 'base64').toString()
  const colon = text.indexOf(':')
  return colon < 0 ? null : { token: text.slice(colon + 1), isBearer: false }
}
