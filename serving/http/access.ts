import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { TidemarkError } from '../../schemas/errors.ts'
import type { Access } from '../../schemas/ports/access.ts'
import type { Role } from '../../schemas/token.ts'

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

/** Lets nobody in without a token who needs one. Must be called before there are routes. */
export function guard(app: FastifyInstance, access: Access): void {
  app.addHook('onRequest', async (request, reply) => {
    // The route's own path: that of the request can be written in many ways.
    if (OPEN.has(request.routeOptions.url ?? '')) return
    if (!access.required(request.socket.remoteAddress ?? 'unknown')) return
    const holder = access.holder(tokenOf(request) ?? '')
    if (holder === null) throw unauthorized(reply)
    if (!READERS.includes(holder.role))
      throw new TidemarkError(
        'E_ROLE',
        `the role of token ${holder.id} is ${holder.role}; viewer or admin may ask`,
      )
    if (READING.has(request.method)) return
    if (holder.role !== 'admin')
      throw new TidemarkError(
        'E_ROLE',
        `the role of token ${holder.id} is ${holder.role}; admin may start runs`,
      )
    // A browser sends the password of this site also for a page of another one.
    const { 'sec-fetch-site': site = 'none' } = request.headers
    if (site !== 'none' && site !== 'same-origin')
      throw new TidemarkError('E_ROLE', 'a page of another site may not start anything here')
  })
}

function unauthorized(reply: FastifyReply): TidemarkError {
  // The first is what a browser asks its user by.
  reply.header('www-authenticate', ['Basic realm="Tidemark", charset="UTF-8"', 'Bearer realm="Tidemark"'])
  return new TidemarkError(
    'E_TOKEN',
    'this needs an access token: Authorization: Bearer TOKEN, or Basic with the token as password',
  )
}

/** The token of a request; null when it has none. */
function tokenOf({ headers: { authorization = '' } }: FastifyRequest): string | null {
  const [, scheme, credentials] = /^(bearer|basic) +(\S+) *$/i.exec(authorization) ?? []
  if (credentials === undefined) return null
  if (scheme!.toLowerCase() === 'bearer') return credentials
  const text = Buffer.from(credentials, 'base64').toString()
  const colon = text.indexOf(':')
  return colon < 0 ? null : text.slice(colon + 1)
}
