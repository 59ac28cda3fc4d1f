import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import fastifyStatic from '@fastify/static'
import type { FastifyInstance } from 'fastify'
import { isError, TidemarkError } from '../../schemas/errors.ts'
import type { Clock } from '../../schemas/ports/clock.ts'
import { shown } from '../../schemas/shown.ts'
import type { Answers } from '../answers.ts'
import { parseRange, parseZone } from '../range.ts'
import { analysisPage, wrongRangePage } from './analysis.ts'
import { homePage } from './home.ts'

const CLIENT = fileURLToPath(new URL('./client', import.meta.url))
const UPLOT = dirname(createRequire(import.meta.url).resolve('uplot/dist/uPlot.min.css'))

/** The pages and what they load. */
export async function pages(app: FastifyInstance, { answers, clock }: { answers: Answers; clock: Clock }) {
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
  app.get<{ Querystring: Asked }>('/analysis', hidden, async ({ query }, reply) => {
    reply.type('text/html; charset=utf-8')
    const views = answers.views()
    try {
      const range = parseRange(
        { from: one('from', query), to: one('to', query), tz: one('tz', query) },
        clock.nowMs(),
        { lastDayIncluded: true },
      )
      const named = one('view', query) ?? views[0]!.view.name
      const info = views.find(({ view }) => view.name === named)
      if (info === undefined)
        throw new TidemarkError('E_PARAMETER', `there is no view ${shown(named)}`, { field: 'view' })
      return await reply.send(await analysisPage(answers, info, range, parseZone(one('tz', query))))
    } catch (error) {
      if (!isError(error, 'E_PARAMETER')) throw error
      const text = (name: string) => [query[name] ?? []].flat()[0] ?? ''
      const asked = { from: text('from'), to: text('to'), tz: text('tz') || 'UTC', view: text('view'), views }
      return reply.code(400).send(wrongRangePage(error.message, asked))
    }
  })
}

type Asked = { readonly [name: string]: string | readonly string[] | undefined }

/** A parameter that may be given once. Throws `E_PARAMETER` when it is given more often. */
function one(name: string, query: Asked): string | undefined {
  const value = query[name]
  if (value === undefined || typeof value === 'string') return value
  throw new TidemarkError('E_PARAMETER', `${name} must be given once`, { field: name })
}
