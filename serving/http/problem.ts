import type { FastifyError, FastifyReply } from 'fastify'
import { describeError, ERRORS, type ErrorCode, TidemarkError } from '../../schemas/errors.ts'
import { GUESSES_MS } from './session/guesses.ts'

/** An error as RFC 9457 problem details, with the code of the error list and the parameter that is wrong. */
export interface Problem {
  readonly type: 'about:blank'
  readonly title: string
  readonly status: number
  readonly detail: string
  readonly code: ErrorCode
  readonly hint: string
  readonly parameter?: string
}

const STATUS: { readonly [code in ErrorCode]?: number } = {
  E_PARAMETER: 400,
  E_QUERY: 400,
  E_USAGE: 400,
  E_TOKEN: 401,
  E_ROLE: 403,
  E_SITE: 403,
  E_NOT_FOUND: 404,
  E_METHOD: 405,
  E_RUN_ACTIVE: 409,
  E_RUN_ELSEWHERE: 409,
  E_RUN_ENDED: 409,
  E_VERSION_GONE: 410,
  E_MISDIRECTED: 421,
  E_QUERY_LIMIT: 422,
  E_GUESSES: 429,
  E_RATE: 429,
  E_BUSY: 503,
  E_CLOSED: 503,
  E_DISK_FULL: 503,
  E_UNPUBLISHED: 503,
  E_INDEX_DAMAGED: 503,
}

/** When to ask again what was refused for asking too often. */
export const RETRY_SECONDS = String(GUESSES_MS / 1_000)

/** What an error is called on the wire. */
export function problemOf(error: unknown): Problem {
  const known = error instanceof TidemarkError ? error : fromFastify(error as FastifyError)
  const status = known === error ? (STATUS[known.code] ?? 500) : statusOf(error as FastifyError)
  return {
    type: 'about:blank',
    title: ERRORS[known.code].meaning,
    status,
    detail: known.message,
    code: known.code,
    hint: known.hint,
    ...(known.field === undefined ? {} : { parameter: known.field }),
  }
}

/** What fastify would answer: a body too long is 413, one of another type 415. */
function statusOf({ statusCode = 500 }: FastifyError): number {
  return statusCode >= 400 && statusCode < 500 ? statusCode : 500
}

/** Answers with an error; `hide` takes out of its words what is not for everybody. */
export function sendProblem(
  reply: FastifyReply,
  error: unknown,
  hide = (text: string): string => text,
): FastifyReply {
  const problem = problemOf(error)
  if (problem.status === 429 && !reply.hasHeader('retry-after')) reply.header('retry-after', RETRY_SECONDS)
  const shown = { ...problem, detail: hide(problem.detail) }
  // It is that of the answer that did not come.
  reply.removeHeader('etag')
  return reply.code(problem.status).type('application/problem+json').send(JSON.stringify(shown))
}

/** Values that are shown of those that a parameter may have. */
const CHOICE_MAX = 12

/** What a value could have been, where it is one of a few. */
function choiceOf(params: unknown): string {
  const { allowedValues } = params as { allowedValues?: readonly unknown[] }
  if (allowedValues === undefined) return ''
  const values = allowedValues.slice(0, CHOICE_MAX).join(', ')
  return `: ${values}${allowedValues.length > CHOICE_MAX ? ', …' : ''}`
}

/** What fastify refuses itself: parameters against their schema, bodies, paths. */
function fromFastify(error: FastifyError): TidemarkError {
  const [first] = error.validation ?? []
  if (first !== undefined) {
    const { requiredProperties: missing } = first.params as { requiredProperties?: readonly string[] }
    if (missing !== undefined)
      return new TidemarkError('E_PARAMETER', `${missing[0]} is missing`, { field: missing[0]! })
    const field = first.instancePath.slice(1).split('/')[0]!
    if (field === '')
      return new TidemarkError('E_PARAMETER', `the body ${first.message}, in JSON and with its content-type`)
    // A name that the schema does not have is checked against `false`.
    const isExtra = first.message?.includes('schema is false') === true
    const message = isExtra
      ? `there is no parameter ${field}`
      : `${field} ${first.message}${choiceOf(first.params)}`
    return new TidemarkError('E_PARAMETER', message, { field })
  }
  if (statusOf(error) === 415)
    return new TidemarkError(
      'E_PARAMETER',
      'a body must be JSON, with the header content-type: application/json',
    )
  if (statusOf(error) < 500) return new TidemarkError('E_PARAMETER', error.message)
  return new TidemarkError('E_ENGINE', describeError(error), { cause: error })
}
