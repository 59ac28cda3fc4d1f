import type { FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { TidemarkError } from '../../../schemas/errors.ts'
import { viewColumns } from '../../../schemas/view-table.ts'
import { parseInstant, parseRange, parseZone } from '../../range.ts'
import type { App, HttpDeps } from '../app.ts'
import { toCsv } from '../csv.ts'
import { presentRow, presentService, presentStats } from '../present.ts'
import {
  Problem,
  RangeQuery,
  RowsQuery,
  rowSchema,
  ServiceParams,
  ServiceSummary,
  ServicesQuery,
  StatsQuery,
  statsSchema,
} from '../schemas.ts'

/** Questions about the services. */
export function answerRoutes(app: App, { answers, clock }: HttpDeps): void {
  const { view } = answers
  const Stats = statsSchema(view)
  const problems = { '4xx': Problem, '5xx': Problem }

  app.get(
    '/v1/services',
    {
      schema: {
        summary: 'The services',
        querystring: ServicesQuery,
        response: { 200: Type.Object({ services: Type.Array(ServiceSummary) }), ...problems },
      },
    },
    async ({ query }) => {
      const wanted = (query.q ?? '').toLowerCase()
      const services = answers.services().filter(({ key }) => key.toLowerCase().includes(wanted))
      return { services: services.map(presentService) }
    },
  )

  app.get(
    '/v1/services/:service/stats',
    {
      schema: {
        summary: 'Totals, means, maxima and counts of one service in a range',
        params: ServiceParams,
        querystring: StatsQuery,
        response: { 200: Stats, ...problems },
      },
    },
    async ({ params: { service }, query }) => {
      const range = parseRange(query, clock.nowMs())
      const stats =
        query.as_of === undefined
          ? answers.stats(service, range)
          : await answers.statsAsOf(service, range, parseAsOf(query.as_of, parseZone(query.tz)))
      if (stats === null) throw unknown(service)
      return presentStats(view, stats, query.explain === '1') as never
    },
  )

  app.get(
    '/v1/services/:service/minutes',
    {
      schema: {
        summary: "Rows of one service in the view's own columns, one a minute that has messages",
        params: ServiceParams,
        querystring: RowsQuery,
        response: {
          200: {
            content: {
              'application/json': { schema: Type.Object({ rows: Type.Array(rowSchema(view)) }) },
              'text/csv': { schema: Type.String() },
            },
          },
          ...problems,
        },
      },
    },
    async (request, reply) => {
      const { params, query } = request
      const cells = answers.minutes(params.service, parseRange(query, clock.nowMs()))
      if (cells === null) throw unknown(params.service)
      const rows = cells.map((row) => presentRow(view, row))
      if (!wantsCsv(request, query.format))
        return sendText(reply, 'application/json', JSON.stringify({ rows }))
      const columns = viewColumns(view).map(({ name }) => name)
      return sendText(reply, 'text/csv', toCsv(columns, rows))
    },
  )

  app.get(
    '/v1/analytics',
    {
      schema: {
        summary: 'Stats of every service with messages in a range',
        querystring: RangeQuery,
        response: { 200: Type.Object({ services: Type.Array(Stats) }), ...problems },
      },
    },
    async ({ query }) => {
      const all = answers.analytics(parseRange(query, clock.nowMs()))
      return { services: all.map((stats) => presentStats(view, stats, false)) } as never
    },
  )
}

function unknown(service: string): TidemarkError {
  return new TidemarkError('E_NOT_FOUND', `there is no service ${service}`, { field: 'service' })
}

/** An integer is a version, anything else a time. */
function parseAsOf(text: string, zone: string): { version: number } | { timeMs: number } {
  if (/^\d{1,15}$/.test(text)) return { version: Number(text) }
  return { timeMs: parseInstant('as_of', text, zone) }
}

/** What the request asks for, by `format` or else by its Accept header. */
function wantsCsv(request: FastifyRequest, format: string | undefined): boolean {
  if (format !== undefined) return format === 'csv'
  const accept = request.headers.accept ?? ''
  return accept.includes('text/csv') && !accept.includes('application/json')
}

function sendText(reply: FastifyReply, type: string, text: string): FastifyReply {
  return reply
    .serializer((payload: unknown) => payload as string)
    .type(`${type}; charset=utf-8`)
    .send(text)
}
