import { hash } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Range } from '../answers.ts'
import { addVary } from './compress.ts'

/**
 * Lets a client that has an answer ask whether it still holds. Only answers about closed ranges say by an ETag what they are:
 * those of the published version alone, since what speed holds changes all the time. It is a weak one: with the same ETag
 * every figure is the same, while `tidemark` and `view_version` may be those of an older version with the same files.
 * A late message may yet come to any range, so nothing is kept without asking.
 */
export function isUnchanged(
  request: FastifyRequest,
  reply: FastifyReply,
  range: Range,
  fingerprint: string | null,
): boolean {
  if (!reply.hasHeader('cache-control')) reply.header('cache-control', 'no-cache')
  addVary(reply, 'Accept')
  if (fingerprint === null) return false
  const { url, headers } = request
  const about = [url, headers.accept ?? '', range.fromMs, range.toMs, fingerprint]
  const tag = `"${hash('sha256', JSON.stringify(about), 'base64url').slice(0, 22)}"`
  reply.header('etag', `W/${tag}`)
  return headers['if-none-match']?.includes(tag) === true
}
