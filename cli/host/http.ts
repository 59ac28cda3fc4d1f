import { TidemarkError } from '../../schemas/errors.ts'
import type { Http } from '../../schemas/ports/http.ts'

/** Failures before anything was sent. */
const NOT_SENT = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
])

/** HTTP of this machine, by Node's own `fetch`, which keeps connections open for the next request. */
export function nodeHttp(): Http {
  return {
    async send({ method, url, headers, body }, signal) {
      try {
        const answer = await fetch(url, {
          method,
          headers,
          body: body as Uint8Array<ArrayBuffer> | null,
          redirect: 'manual',
          signal,
        })
        const bytes = new Uint8Array(await answer.arrayBuffer())
        return { status: answer.status, header: (name) => answer.headers.get(name), body: bytes }
      } catch (error) {
        const { code, message } = ((error as Error).cause ?? error) as { code?: string; message: string }
        const { host } = new URL(url)
        if (code !== undefined && NOT_SENT.has(code))
          throw new TidemarkError('E_CONNECT', `cannot connect to ${host}: ${message || code}`, {
            cause: error,
          })
        throw new Error(`${host}: ${message || code}`, { cause: error })
      }
    },
  }
}
