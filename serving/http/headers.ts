import type { FastifyInstance, FastifyReply } from 'fastify'

/**
 * What a browser may do with a page: load and run what this server sends as files, and nothing that stands in the page itself or
 * comes from elsewhere. Data blocks (`<script type="application/json">`) are not run, so they are not meant.
 */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  // A script may show a picture that it drew.
  "img-src 'self' data: blob:",
  "font-src 'self'",
  "connect-src 'self'",
  "worker-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ')

/** Sent with every answer, also with errors and data: a browser may be led to open any of them as a page. */
const HEADERS: { readonly [name: string]: string } = {
  'content-security-policy': POLICY,
  'x-content-type-options': 'nosniff',
  // For browsers that know no frame-ancestors.
  'x-frame-options': 'DENY',
  // Addresses name services and times; but without one to itself, a form's Origin would be null.
  'referrer-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
}

/** How long a browser that came by TLS comes back by TLS alone. */
const HSTS = 'max-age=2592000'

/** Sends them with every answer of `app`. */
export function sendHeaders(app: FastifyInstance): void {
  app.addHook('onRequest', async ({ protocol, headers: { host = '' } }, reply) => {
    setHeaders(reply)
    if (protocol !== 'https') return
    // Without TLS a browser heeds neither, and complains of this one.
    reply.header('cross-origin-opener-policy', 'same-origin')
    if (isNamedByDefaultPort(host)) reply.header('strict-transport-security', HSTS)
  })
}

export function setHeaders(reply: FastifyReply): void {
  reply.headers(HEADERS)
}

/**
 * Whether a name is asked at the port that URLs need not say. A browser takes HSTS for the whole host: on any other port it would
 * shut out what else that machine serves without TLS.
 */
function isNamedByDefaultPort(host: string): boolean {
  const name = /^([^:[\]]+)(?::443)?$/.exec(host)?.[1]
  return name?.includes('.') === true && !/^[\d.]+$/.test(name)
}
