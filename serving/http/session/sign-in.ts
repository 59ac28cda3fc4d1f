import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { isError } from '../../../schemas/errors.ts'
import { SIGN_IN } from '../access.ts'
import { RETRY_SECONDS } from '../problem.ts'
import { setSessionCookie } from './cookie.ts'
import type { Identities } from './identity.ts'
import { STYLE, signedInPage, signInPage } from './page.ts'
import { returnAddress } from './return-address.ts'

/** A form of a token and an address. */
const FORM_BYTES_MAX = 8 << 10

/** The form that takes a token and gives a cookie, and the way out. */
export async function signInRoutes(app: FastifyInstance, identities: Identities): Promise<void> {
  const hidden = { schema: { hide: true } }
  app.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string', bodyLimit: FORM_BYTES_MAX },
    (_request, body, done) => done(null, Object.fromEntries(new URLSearchParams(String(body)))),
  )
  app.addHook('onRequest', async (_request, reply) => {
    reply.header('cache-control', 'no-store')
  })

  app.get('/sign-in.css', hidden, async (_request, reply) =>
    reply.header('cache-control', 'max-age=3600').type('text/css; charset=utf-8').send(STYLE),
  )

  app.get<{ Querystring: Form }>(SIGN_IN, hidden, async (request, reply) => {
    const back = returnAddress(request.query.return)
    const identity = knownBy(request)
    return sendPage(
      reply,
      identity === null ? signInPage({ back, wrong: null }) : signedInPage(identity, back),
    )
  })

  app.post<{ Body: Form | undefined }>(SIGN_IN, hidden, async (request, reply) => {
    const back = returnAddress(request.body?.return)
    const token = String(request.body?.token ?? '').trim()
    try {
      const holder = identities.tried(request, token)
      if (holder === null) return again(reply.code(401), back, 'This is no valid access token.')
      if (holder.role === 'agent')
        return again(reply.code(403), back, 'This token is for an agent: it sends, and does not ask.')
      const old = knownBy(request)?.session
      if (old) identities.sessions.end(old.id)
      setSessionCookie(request, reply, identities.sessions.start(holder).id)
      return reply.redirect(back, 303)
    } catch (error) {
      if (!isError(error, 'E_GUESSES')) throw error
      return again(
        reply.code(429).header('retry-after', RETRY_SECONDS),
        back,
        'There were too many wrong tokens. Wait a minute, then try again.',
      )
    }
  })

  app.post('/sign-out', hidden, async (request, reply) => {
    const session = knownBy(request)?.session
    if (session) identities.sessions.end(session.id)
    setSessionCookie(request, reply, null)
    return reply.redirect(SIGN_IN, 303)
  })

  function knownBy(request: FastifyRequest) {
    try {
      return identities.of(request)
    } catch {
      return null
    }
  }
}

type Form = { readonly [name: string]: unknown }

function again(reply: FastifyReply, back: string, wrong: string): FastifyReply {
  return sendPage(reply, signInPage({ back, wrong }))
}

function sendPage(reply: FastifyReply, page: string): FastifyReply {
  return reply.type('text/html; charset=utf-8').send(page)
}
