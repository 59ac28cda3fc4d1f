import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Audit } from '../../lake/audit.ts'
import { describeError } from '../../schemas/errors.ts'
import type { Identities } from './session/identity.ts'
import { addressOf } from './session/identity.ts'
import { whoOf } from './who.ts'

/** What requests that do more than read are called in the record; others by method and path. */
const ACTS: { readonly [route: string]: string } = {
  'POST /v1/runs': 'start run',
  'DELETE /v1/runs/:run': 'cancel run',
  'POST /v1/query': 'query',
}
/** They have a record of their own, or are about their asker alone. */
const NOT_RECORDED = /^\/(sign-in|sign-out|v1\/erasures)\b/
/** Of a longer value, as SQL may be, the beginning. */
const VALUE_MAX = 1_000

export interface ActsDeps {
  readonly audit: Pick<Audit, 'record'>
  readonly identities: Identities | null
  logLine(line: string): void
}

/**
 * Records every act of those who were let in to do more than read, whatever came of it, before they are told. Where it cannot be recorded,
 * that is logged: the act is done. Must be called after the guard, so that nobody who was refused fills the lake.
 */
export function recordActs(app: FastifyInstance, { audit, identities, logLine }: ActsDeps): void {
  const admitted = new WeakSet<FastifyRequest>()
  app.addHook('preHandler', async (request) => {
    const { method, routeOptions } = request
    if (['GET', 'HEAD', 'OPTIONS'].includes(method) || request.is404) return
    if (!NOT_RECORDED.test(routeOptions.url ?? '')) admitted.add(request)
  })
  app.addHook('onSend', async (request, reply) => {
    if (!admitted.delete(request)) return
    const route = `${request.method} ${request.routeOptions.url}`
    const location = reply.getHeader('location')
    const act = {
      who: whoOf(request, identities),
      what: ACTS[route] ?? route,
      about: {
        ...scalarsOf(request.params),
        ...scalarsOf(request.body),
        ...(typeof location === 'string' && { location }),
        address: addressOf(request),
      },
      rows: null,
      result: reply.statusCode < 400 ? 'done' : `refused: status ${reply.statusCode}`,
    }
    await audit
      .record(act)
      .catch((error) => logLine(`http: ${act.what} by ${act.who} is not recorded: ${describeError(error)}`))
  })
}

type Scalar = string | number | boolean | null

function scalarsOf(fields: unknown): Record<string, Scalar> {
  if (typeof fields !== 'object' || fields === null) return {}
  const scalars = Object.entries(fields).filter(([, value]) => typeof value !== 'object' || value === null)
  return Object.fromEntries(
    scalars.map(([name, value]) => [name, typeof value === 'string' ? value.slice(0, VALUE_MAX) : value]),
  ) as Record<string, Scalar>
}
