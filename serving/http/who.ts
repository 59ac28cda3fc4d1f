import type { FastifyRequest } from 'fastify'
import type { Identities } from './session/identity.ts'

/** By which a command on this machine, which shows the process' own token, says whose it is; percent-encoded. */
export const USER_HEADER = 'tidemark-user'
const NAME_MAX = 128

/**
 * Who asks, as records name them: a token's id; the user of a command on this machine, whose token nobody knows once the process has
 * ended; or this machine where nothing is needed.
 */
export function whoOf(request: FastifyRequest, identities: Identities | null): string {
  const holder = identities?.of(request)?.holder
  if (holder === undefined) return 'this machine'
  return holder.isOwn ? userOf(request.headers[USER_HEADER]) : `token ${holder.id}`
}

function userOf(header: string | string[] | undefined): string {
  if (typeof header !== 'string') return 'this machine'
  try {
    return `user ${decodeURIComponent(header).slice(0, NAME_MAX)}`
  } catch {
    return 'this machine'
  }
}
