import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { TidemarkError } from '../../schemas/errors.ts'
import type { Clock } from '../../schemas/ports/clock.ts'
import type { Role } from '../../schemas/token.ts'
import type { RequestRate } from './rate.ts'
import { COOKIE } from './session/cookie.ts'
import type { Identities, Identity } from './session/identity.ts'
import { refuseForeignHost, refuseForeignSite, refuseSeveralHosts } from './site.ts'

/** Where a browser's user shows a token. */
export const SIGN_IN = '/sign-in'
/** Open to everyone: for those who only watch whether it lives, and for those who have not signed in yet. */
const OPEN = new Set(['/healthz', '/readyz', SIGN_IN, '/sign-in.css'])
const READING = new Set(['GET', 'HEAD'])
const READERS: readonly Role[] = ['viewer', 'admin']

/** How a route says in /openapi.json that it needs no token. */
export const NO_TOKEN: { security: { [name: string]: string[] }[] } = { security: [] }

/** What /openapi.json says of tokens: none is needed on this machine, elsewhere any kind. */
export const SECURITY = {
  components: {
    securitySchemes: {
      bearer: { type: 'http' as const, scheme: 'bearer', description: 'An access token' },
      basic: { type: 'http' as const, scheme: 'basic', description: 'Any user name, the token as password' },
      session: {
        type: 'apiKey' as const,
        in: 'cookie' as const,
        name: COOKIE,
        description: `What a browser has after ${SIGN_IN}; over TLS its name begins with __Host-`,
      },
    },
  },
  security: [{}, { bearer: [] }, { basic: [] }, { session: [] }],
}

/** What is checked before a request is answered. */
export interface Guarding {
  /** Who asks; null: nobody needs a token. */
  readonly identities: Identities | null
  readonly rate: RequestRate
  readonly clock: Clock
  /** Names beside those of loopback under which this server is asked, in lower case. */
  readonly hosts?: readonly string[] | undefined
}

/** Lets nobody in without a token who needs one, nor a page of another site. Must be called before there are routes. */
export function guard(app: FastifyInstance, { identities, rate, clock, hosts = [] }: Guarding): void {
  const going = new Map<FastifyReply['raw'], Identity>()
  app.addHook('onRequest', async (request, reply) => {
    refuseSeveralHosts(request)
    // The route's own path: that of the request can be written in many ways.
    if (OPEN.has(request.routeOptions.url ?? '')) {
      rate.count(request, reply, null)
      // A form of another site signs nobody in.
      if (!READING.has(request.method)) refuseForeignSite(request)
      return
    }
    const isRequired = identities?.isRequired(request) === true
    const identity = identities?.of(request) ?? null
    rate.count(request, reply, identity)
    if (isRequired) {
      // Between here and the browser nobody may keep what not everybody may see.
      const vary = [reply.getHeader('vary') ?? [], 'Authorization', 'Cookie'].flat().join(', ')
      reply.headers({ 'cache-control': 'private, no-cache', vary })
      if (identity === null && isPage(request)) return reply.redirect(signInFor(request), 303)
      refuseOutsider(request, reply, identity)
      // It ends what it was let in by, and is answered nevertheless.
      if (!isSignOut(request)) watch(reply, identity!)
    }
    if (identity === null) refuseForeignHost(request, hosts)
    // A browser sends the password and the session of this site also for a page of another one.
    if (!READING.has(request.method) && identity?.isBearer !== true) refuseForeignSite(request)
    return undefined
  })

  /** An answer that lasts, as a stream does, ends with what let it begin. */
  function watch({ raw }: FastifyReply, identity: Identity): void {
    going.set(raw, identity)
    const { session } = identity
    const cancel = session === null ? null : clock.after(session.endsMs - clock.nowMs(), () => end(raw))
    raw.once('close', () => {
      going.delete(raw)
      cancel?.()
    })
  }
  function end(raw: FastifyReply['raw']): void {
    raw.destroy()
  }
  const lookAgain = () => {
    for (const [raw, identity] of going) if (!identities!.isCurrent(identity)) end(raw)
  }
  identities?.sessions.onEnd(lookAgain)
  const forget = identities?.access.onChange(lookAgain)
  app.addHook('onClose', async () => forget?.())
}

/** Whether a browser's user asks for a page, and no program for data. */
export function isPage({ method, url, headers }: FastifyRequest): boolean {
  if (!READING.has(method) || /^\/(v1|openapi\.json|metrics)\b/.test(url)) return false
  if (!['document', undefined].includes(headers['sec-fetch-dest'] as string | undefined)) return false
  return headers.accept?.includes('text/html') === true
}

const signInFor = ({ url }: FastifyRequest) =>
  url === '/' ? SIGN_IN : `${SIGN_IN}?return=${encodeURIComponent(url)}`

/** Throws `E_TOKEN` or `E_ROLE`. */
function refuseOutsider(request: FastifyRequest, reply: FastifyReply, identity: Identity | null): void {
  if (identity === null) throw unauthorized(request, reply)
  const { method } = request
  const { id, role } = identity.holder
  const mayAsk = READERS.includes(role)
  if (mayAsk && (READING.has(method) || role === 'admin' || isSignOut(request))) return
  const what = mayAsk ? 'admin alone may do more than read' : 'viewer or admin may ask'
  throw new TidemarkError('E_ROLE', `the role of token ${id} is ${role}; ${what}`)
}

const isSignOut = ({ routeOptions }: FastifyRequest) => routeOptions.url === '/sign-out'

function unauthorized(request: FastifyRequest, reply: FastifyReply): TidemarkError {
  // A browser would ask its user for a name and a password, over a page that knows better.
  const basic = isBrowser(request) ? [] : ['Basic realm="Tidemark", charset="UTF-8"']
  reply.header('www-authenticate', [...basic, 'Bearer realm="Tidemark"'])
  return new TidemarkError(
    'E_TOKEN',
    `this needs an access token: Authorization: Bearer TOKEN, or Basic with the token as password; in a browser sign in at ${SIGN_IN}`,
  )
}

const isBrowser = ({ headers }: FastifyRequest) =>
  headers['sec-fetch-mode'] !== undefined || headers['user-agent']?.startsWith('Mozilla/') === true
