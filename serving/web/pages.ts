import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import fastifyStatic from '@fastify/static'
import type { FastifyInstance } from 'fastify'
import { isError } from '../../schemas/errors.ts'
import type { Clock } from '../../schemas/ports/clock.ts'
import type { Answers } from '../answers.ts'
import { parseRange, parseZone } from '../range.ts'
import { analysisPage, wrongRangePage } from './analysis.ts'
import { homePage } from './home.ts'

const CLIENT = fileURLToPath(new URL('./client', import.meta.url))
const UPLOT = dirname(createRequire(import.meta.url).resolve('uplot/dist/uPlot.min.css'))

/** Nothing comes from elsewhere, and no script stands in a page. */
const POLICY = "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"

/** The pages and what they load. */
export async function pages(app: FastifyInstance, { answers, clock }: { answers: Answers; clock: Clock }) {
  app.addHook('onSend', async (_request, reply) => {
    reply.header('content-security-policy', POLICY)
    reply.header('x-content-type-options', 'nosniff')
    reply.header('referrer-policy', 'no-referrer')
  })
  await app.register(fastifyStatic, { root: CLIENT, prefix: '/assets/', schemaHide: true })
  await app.register(fastifyStatic, {
    root: UPLOT,
    prefix: '/assets/uplot/',
    schemaHide: true,
    decorateReply: false,
  })

  const hidden = { schema: { hide: true } }
  app.get('/', hidden, async (_request, reply) =>
    reply.type('text/html; charset=utf-8').send(homePage(answers, clock.nowMs())),
  )
  app.get<{ Querystring: Record<string, string> }>('/analysis', hidden, async ({ query }, reply) => {
    const { from, to, tz } = query
    reply.type('text/html; charset=utf-8')
    try {
      const range = parseRange({ from, to, tz }, clock.nowMs(), { lastDayIncluded: true })
      return reply.send(analysisPage(answers, range, parseZone(tz)))
    } catch (error) {
      if (!isError(error, 'E_PARAMETER')) throw error
      const asked = { from: from ?? '', to: to ?? '', tz: tz ?? 'UTC' }
      return reply.code(400).send(wrongRangePage(error.message, asked))
    }
  })
}
