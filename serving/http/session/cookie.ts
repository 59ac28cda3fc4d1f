import type { FastifyReply, FastifyRequest } from 'fastify'
import { SESSION_MS_MAX } from './sessions.ts'

/** A browser takes a name that begins so from this host alone, and only over TLS. */
const SECURE_PREFIX = '__Host-'
export const COOKIE = 'tidemark'

/** The session that a request names; null when it names none. */
export function sessionIdOf(request: FastifyRequest): string | null {
  const name = cookieName(request)
  for (const pair of (request.headers.cookie ?? '').split(';')) {
    const at = pair.indexOf('=')
    if (at >= 0 && pair.slice(0, at).trim() === name) return pair.slice(at + 1).trim()
  }
  return null
}

/**
 * Lets the browser name a session, or with null none any more. `Lax`: a link in a chat leads to the page and not to the form; reading is
 * all that a link can do.
 */
export function setSessionCookie(request: FastifyRequest, reply: FastifyReply, id: string | null): void {
  const seconds = id === null ? 0 : Math.floor(SESSION_MS_MAX / 1_000)
  const parts = [`${cookieName(request)}=${id ?? ''}`, 'Path=/', 'HttpOnly', 'SameSite=Lax']
  if (isSecure(request)) parts.push('Secure')
  reply.header('set-cookie', [...parts, `Max-Age=${seconds}`].join('; '))
}

const cookieName = (request: FastifyRequest) => (isSecure(request) ? SECURE_PREFIX : '') + COOKIE

/** Whether the browser speaks TLS, to this server or to a proxy before it. Who lies about that only loses his cookie. */
function isSecure({ protocol, headers }: FastifyRequest): boolean {
  return protocol === 'https' || headers['x-forwarded-proto'] === 'https'
}
