import type { FastifyInstance } from 'fastify'

/** How long a browser need not ask again whether it may. */
const PREFLIGHT_SECONDS = '600'
const METHODS = 'GET, HEAD, POST, DELETE'
const REQUEST_HEADERS = 'Authorization, Content-Type, Accept, If-None-Match, Last-Event-ID'
const EXPOSED = 'Location, ETag, Retry-After, Content-Disposition, Tidemark-Complete'

/**
 * Lets pages of other sites read, by the origins in `origins`, each like `https://board.example.org`. They show a token as bearer where one is
 * needed. No cookie counts for them: that header is never sent which would let a browser add it. Must be called before the guard: a browser
 * asks whether it may without a token.
 */
export function allowOrigins(app: FastifyInstance, origins: readonly string[]): void {
  if (origins.length === 0) return
  app.addHook('onRequest', async ({ method, headers }, reply) => {
    const { origin } = headers
    reply.header('vary', 'Origin')
    if (origin === undefined || !origins.includes(origin)) return undefined
    reply.header('access-control-allow-origin', origin)
    if (method !== 'OPTIONS' || headers['access-control-request-method'] === undefined) {
      reply.header('access-control-expose-headers', EXPOSED)
      return undefined
    }
    return reply
      .code(204)
      .headers({
        'access-control-allow-methods': METHODS,
        'access-control-allow-headers': REQUEST_HEADERS,
        'access-control-max-age': PREFLIGHT_SECONDS,
      })
      .send()
  })
}
