import type { FastifyReply } from 'fastify'
import { Type } from 'typebox'
import { KEY_SEPARATOR } from '../../../schemas/key.ts'
import type { CellsAnswer, Range, Stats } from '../../answers.ts'
import { type AskedRange, parseRange } from '../../range.ts'
import type { App } from '../app.ts'
import { parseAsOf } from '../as-of.ts'
import { isUnchanged } from '../etag.ts'
import { parseExplain } from '../explain.ts'
import { formatOf } from '../format.ts'
import { presentStats, presentWhole } from '../present.ts'
import {
  AS_OF,
  FORMAT,
  filed,
  PROBLEMS,
  query,
  RANGE,
  rowSchema,
  STATS,
  statsSchema,
  WHOLE,
} from '../schemas.ts'
import { sendList } from '../send-list.ts'
import { sendCells } from '../send-rows.ts'
import { listRoutes } from './lists.ts'
import { type Asked, found, keyOf, namingOf, type Place, type QuestionsDeps } from './place.ts'
import { seriesRoutes } from './series.ts'

/** The questions about one view. */
export function questionRoutes(app: App, place: Place, deps: QuestionsDeps): void {
  listRoutes(app, place, deps)
  keyRoutes(app, place, deps)
  seriesRoutes(app, place, deps)
}

/** The questions about one key: its stats and its merged cells. */
function keyRoutes(app: App, place: Place, { answers, clock, pause }: QuestionsDeps): void {
  const { view, finer } = place
  const { name } = view
  const { about, keyQuery, BY, apart } = namingOf(place)
  const Finer = finer === undefined ? null : statsSchema(finer)
  const Row = finer === undefined ? rowSchema(view) : Type.Union([rowSchema(view), rowSchema(finer)])
  const rangeOf = (asked: Asked) => parseRange(asked as AskedRange, clock.nowMs())
  const keysApart = (key: string, range: Range) =>
    answers.keysWithin(finer!.name, range, (one) => one.startsWith(`${key}${KEY_SEPARATOR}`))

  /** The stats of every key of the finer view that begins with `key`. */
  async function statsApart(key: string, range: Range) {
    await answers.reach(finer!.name, range)
    found(place, answers.stats(name, key, range), key)
    return answers.analytics(finer!.name, range, keysApart(key, range))
  }

  /** The cells of every key of the finer view that begins with `key`. */
  async function cellsApart(key: string, range: Range): Promise<CellsAnswer> {
    const { bucketMs } = finer!
    await answers.reach(finer!.name, range, bucketMs)
    found(place, answers.stats(name, key, range), key)
    return answers.seriesOfAll(finer!.name, keysApart(key, range), range, bucketMs)
  }

  app.get(
    `${place.of}/stats`,
    {
      schema: {
        summary: `Totals, means, extremes, percentiles and counts of one key of ${name} in a range`,
        ...about,
        querystring: query({ ...keyQuery, ...RANGE, ...STATS, ...BY }),
        response: {
          200:
            Finer === null
              ? statsSchema(view)
              : Type.Union([statsSchema(view), Type.Object({ [`${apart}s`]: Type.Array(Finer), ...WHOLE })]),
          ...PROBLEMS,
        },
      },
    },
    async (request, reply) => {
      const asked = request.query as Asked
      const key = keyOf(place, request)
      const range = rangeOf(asked)
      const { by } = asked
      const explain = parseExplain(asked, by === undefined)
      const asOf = parseAsOf(asked)
      if (by !== undefined) {
        const { stats: rows, ...whole } = await statsApart(key, range)
        return sendList(
          reply,
          { named: `${apart}s`, rows, present: presentStats, about: () => presentWhole(whole) },
          pause,
        )
      }
      if (asOf !== null) {
        const answer = found(place, await answers.statsAsOf(name, key, range, asOf), key)
        const { parts: _, ...plain } = answer
        return sendStats(reply, explain ? answer : plain)
      }
      if (!explain && isUnchanged(request, reply, range, answers.fingerprint(name, range, key)))
        return reply.code(304).send(null as never)
      await answers.reach(name, range)
      return sendStats(reply, found(place, answers.stats(name, key, range, explain), key))
    },
  )

  app.get(
    `${place.of}/${place.cells}`,
    {
      schema: {
        summary: `Rows of one key of ${name} in the view's own columns, one a bucket that has messages`,
        ...about,
        querystring: query({ ...keyQuery, ...RANGE, ...AS_OF, ...FORMAT, ...BY }),
        response: {
          200: filed(Type.Object({ rows: Type.Array(Row), ...WHOLE })),
          ...PROBLEMS,
        },
      },
    },
    async (request, reply) => {
      const asked = request.query as Asked
      const key = keyOf(place, request)
      const range = rangeOf(asked)
      const as = { name: `${name}-${key}`, bom: asked.bom === '1', pause, parquet: answers.parquet }
      const asOf = parseAsOf(asked)
      if (asOf !== null) {
        const answer = found(place, await answers.cellsAsOf(name, key, range, asOf), key)
        return sendCells(reply, formatOf(request, reply, asked.format), answer, as)
      }
      if (
        isUnchanged(
          request,
          reply,
          range,
          answers.fingerprint(
            (asked.by === undefined ? view : finer!).name,
            range,
            asked.by === undefined ? key : undefined,
          ),
        )
      )
        return reply.code(304).send(null as never)
      await answers.reach(name, range, view.bucketMs)
      const answer =
        asked.by === undefined
          ? found(place, answers.cells(name, key, range), key)
          : await cellsApart(key, range)
      return sendCells(reply, formatOf(request, reply, asked.format), answer, as)
    },
  )
}

/** By the view that the stats are of, which may be an earlier definition than today's: it has other gauges than the schema says. */
function sendStats(reply: FastifyReply, stats: Stats): FastifyReply {
  return reply.type('application/json; charset=utf-8').send(JSON.stringify(presentStats(stats)))
}
