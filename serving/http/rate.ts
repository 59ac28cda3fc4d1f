import type { FastifyReply, FastifyRequest } from 'fastify'
import { TidemarkError } from '../../schemas/errors.ts'
import { isLoopback } from '../../schemas/loopback.ts'
import type { Clock } from '../../schemas/ports/clock.ts'
import { addressOf, type Identity } from './session/identity.ts'
import { networkOf, Windows } from './windows.ts'

const RATE_MS = 60_000
/** What watches over this process asks, from the machine itself, however busy others keep it. */
const WATCHED = new Set(['/healthz', '/readyz', '/metrics'])

/** Bounds how often one asks: by the token that is shown, and without one by the address (of IPv6 its /64). */
export class RequestRate {
  /** For `/metrics`. */
  readonly figures = { requests: 0, rateLimited: 0 }
  readonly #max: number
  readonly #windows: Windows

  /** `max` requests a minute; null: any number. */
  constructor(clock: Clock, max: number | null) {
    this.#max = max ?? Number.POSITIVE_INFINITY
    this.#windows = new Windows(clock, RATE_MS)
  }

  /** Counts a request. Throws `E_RATE`, and `Retry-After` says when to ask again. */
  count(request: FastifyRequest, reply: FastifyReply, identity: Identity | null): void {
    this.figures.requests++
    const address = addressOf(request)
    if (WATCHED.has(request.routeOptions.url ?? '') && isLoopback(address)) return
    const asker = identity === null ? `from ${networkOf(address)}` : `with token ${identity.holder.id}`
    if (this.#windows.count(asker) <= this.#max) return
    this.figures.rateLimited++
    const seconds = Math.ceil(this.#windows.leftMs(asker) / 1_000)
    reply.header('retry-after', String(seconds))
    throw new TidemarkError(
      'E_RATE',
      `more than ${this.#max} requests came ${asker} within a minute; ask again in ${seconds} s`,
    )
  }
}
