import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { TidemarkError } from '../../schemas/errors.ts'
import type { Access } from '../../schemas/ports/access.ts'
import type { Role, TokenRecord } from '../../schemas/token.ts'
import { refuseForeignHost, refuseForeignSite } from './site.ts'

/** Open to everyone, for those who only watch whether it lives. */
const OPEN = new Set(['/healthz', '/readyz'])
const READING = new Set(['GET', 'HEAD'])
const READERS: readonly Role[] = ['viewer', 'admin']

/** How a route says in /openapi.json that it needs no token. */
export const NO_TOKEN: { security: { [name: string]: string[] }[] } = { security: [] }

/** What /openapi.json says of tokens: none is needed on this machine, elsewhere either kind. */
export const SECURITY = {
  components: {
    securitySchemes: {
      bearer: { type: 'http' as const, scheme: 'bearer', description: 'An access token' },
      basic: { type: 'http' as const, scheme: 'basic', description: 'Any user name, the token as password' },
    },
  },
  security: [{}, { bearer: [] }, { basic: [] }],
}

/** What is checked before a request is answered. */
export interface Guarding {
  /** Absent: nobody needs a token. */
  readonly access?: Access | undefined
  /** Names beside those of loopback under which this server is asked, in lower case. */
  readonly hosts?: readonly string[] | undefined
}

/** Lets nobody in without a token who needs one, nor a page of another site. Must be called before there are routes. */
export function guard(app: FastifyInstance, { access, hosts = [] }: Guarding): void {
  app.addHook('onRequest', async (request, reply) => {
    // The route's own path: that of the request can be written in many ways.
    if (OPEN.has(request.routeOptions.url ?? '')) return
    const shown = tokenOf(request)
    const holder = shown === null ? null : (access?.holder(shown.token) ?? null)
    const isRequired = access?.required(request.socket.remoteAddress ?? 'unknown') === true
    if (isRequired) refuseOutsider(request, reply, holder)
    if (holder === null) refuseForeignHost(request, hosts)
    // A browser sends the password of this site also for a page of another one.
    if (!READING.has(request.method) && !(holder !== null && shown!.isBearer)) refuseForeignSite(request)
  })
}

/** Throws `E_TOKEN` or `E_ROLE`. */
function refuseOutsider({ method }: FastifyRequest, reply: FastifyReply, holder: TokenRecord | null): void {
  if (holder === null) throw unauthorized(reply)
  const mayAsk = READERS.includes(holder.role)
  if (mayAsk && (READING.has(method) || holder.role === 'admin')) return
  const what = mayAsk ? 'admin may start runs' : 'viewer or admin may ask'
  throw new TidemarkError('E_ROLE', `the role of token ${holder.id} is ${holder.role}; ${what}`)
}

function unauthorized(reply: FastifyReply): TidemarkError {
  // The first is what a browser asks its user by.
  reply.header('www-authenticate', ['Basic realm="Tidemark", charset="UTF-8"', 'Bearer realm="Tidemark"'])
  return new TidemarkError(
    'E_TOKEN',
    'this needs an access token: Authorization: Bearer TOKEN, or Basic with the token as password',
  )
}

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
