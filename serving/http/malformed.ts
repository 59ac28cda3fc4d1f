import type { FastifyServerOptions } from 'fastify'
import { TidemarkError } from '../../schemas/errors.ts'
import { problemOf } from './problem.ts'

/** What cannot be read as a request, by the error of Node's parser. */
const MALFORMED: { readonly [code: string]: readonly [status: string, why: string] } = {
  HPE_HEADER_OVERFLOW: ['431 Request Header Fields Too Large', 'the path or the headers are too long'],
  ERR_HTTP_REQUEST_TIMEOUT: ['408 Request Timeout', 'the request took too long to arrive'],
}

/** Answers what is no request of HTTP, and closes. */
export const refuseMalformed: NonNullable<FastifyServerOptions['clientErrorHandler']> = (error, socket) => {
  // It is gone, or its end is under way.
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy()
    return
  }
  const [status, why] = MALFORMED[error.code] ?? [
    '400 Bad Request',
    'this is no request of HTTP that can be read',
  ]
  const problem = { ...problemOf(new TidemarkError('E_PARAMETER', why)), status: Number.parseInt(status, 10) }
  const body = JSON.stringify(problem)
  const head = [
    `HTTP/1.1 ${status}`,
    'content-type: application/problem+json',
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
  ]
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`)
}
