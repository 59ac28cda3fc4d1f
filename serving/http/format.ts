import type { FastifyRequest } from 'fastify'

/** What rows come as. */
export type Format = 'json' | 'csv' | 'parquet'

export const PARQUET_TYPE = 'application/vnd.apache.parquet'

/** What the request asks for, by `format` or else by its Accept header. */
export function formatOf(request: FastifyRequest, format: string | undefined): Format {
  if (format !== undefined) return format as Format
  const accept = request.headers.accept ?? ''
  if (accept.includes('application/json')) return 'json'
  if (accept.includes('text/csv')) return 'csv'
  return accept.includes(PARQUET_TYPE) ? 'parquet' : 'json'
}
