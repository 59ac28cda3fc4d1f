import type { FastifyReply, FastifyRequest } from 'fastify'
import { weightsOf } from './accepted.ts'
import { addVary } from './compress.ts'

/** What rows come as. */
export type Format = 'json' | 'csv' | 'parquet'

export const PARQUET_TYPE = 'application/vnd.apache.parquet'

/** In the order in which they are given to whom they are all the same. */
const TYPES: readonly [string, Format][] = [
  ['application/json', 'json'],
  ['text/csv', 'csv'],
  [PARQUET_TYPE, 'parquet'],
]

/** What the request asks for, by `format` or else by its Accept header, which the answer then says. */
export function formatOf(
  request: Pick<FastifyRequest, 'headers'>,
  reply: FastifyReply,
  format: string | undefined,
): Format {
  addVary(reply, 'Accept')
  if (format !== undefined) return format as Format
  const weights = weightsOf(request.headers.accept)
  const weightOf = (type: string) => weights.get(type) ?? 0
  const [best] = TYPES.filter(([type]) => weightOf(type) > 0).sort(([a], [b]) => weightOf(b) - weightOf(a))
  return best === undefined ? 'json' : best[1]
}
