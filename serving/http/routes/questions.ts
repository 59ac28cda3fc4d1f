import { Readable } from 'node:stream'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { type TSchema, Type } from 'typebox'
import { TidemarkError } from '../../../schemas/errors.ts'
import { joinKey, KEY_SEPARATOR, splitKey } from '../../../schemas/key.ts'
import type { Clock, Pause } from '../../../schemas/ports/clock.ts'
import { shown } from '../../../schemas/shown.ts'
import type { View } from '../../../schemas/view.ts'
import { viewColumns } from '../../../schemas/view-columns.ts'
import type { Answers, AsOf, CellsAnswer, Range, Whole } from '../../answers.ts'
import { type AskedRange, parseInstant, parseRange, parseZone } from '../../range.ts'
import { chooseStep, parseStep } from '../../step.ts'
import type { App } from '../app.ts'
import { toCsv } from '../csv.ts'
import { type Format, formatOf, PARQUET_TYPE } from '../format.ts'
import { toParquet } from '../parquet.ts'
import { presentRows, presentStats, presentSummary, presentWhole } from '../present.ts'
import { rowsJson } from '../rows-json.ts'
import {
  FORMAT,
  PROBLEMS,
  query,
  RANGE,
  rowSchema,
  SEARCH,
  STATS,
  STEP,
  seriesApartSchema,
  seriesSchema,
  statsSchema,
  summarySchema,
  WHOLE,
} from '../schemas.ts'
import { sendStats } from '../send-stats.ts'
import { presentSeries, presentSeriesApart } from '../series.ts'

export interface QuestionsDeps {
  readonly answers: Answers
  readonly clock: Clock
  /** Called while a long answer is written; absent: it is written without a pause. */
  readonly pause?: Pause
}

/** Where the questions about a view are asked, and how a request names a key. */
export interface Place {
  readonly view: View
  /** Path of the keys, like `/v1/views/service_minute/keys`. */
  readonly keys: string
  /** What the keys are called in the answer. */
  readonly named: string
  /** Path in front of `/stats`, `/cells` and `/series`. */
  readonly of: string
  readonly analytics: string
  /** What the question about merged cells is called. */
  readonly cells: 'cells' | 'minutes'
  /** Key columns that stand in the path; the others are parameters. */
  readonly inPath: readonly string[]
  /** A view of a longer key that begins alike: `by=` its last column asks for each of its keys apart. */
  readonly finer?: View
}

/** Buckets of a series whose step is chosen. */
const SERIES_BUCKETS = 1_500

type Asked = { readonly [name: string]: string | undefined }

/** The questions about one view. */
export function questionRoutes(app: App, place: Place, { answers, clock, pause }: QuestionsDeps): void {
  const { view, named } = place
  const { name } = view
  const { finer } = place
  const Finer = finer === undefined ? null : statsSchema(finer)
  const Stats = Finer === null ? statsSchema(view) : Type.Union([statsSchema(view), Finer])
  const apart = finer?.key.at(-1) ?? ''
  const Row = finer === undefined ? rowSchema(view) : Type.Union([rowSchema(view), rowSchema(finer)])
  const Series =
    finer === undefined
      ? seriesSchema(view)
      : Type.Union([seriesSchema(view), seriesApartSchema(finer, `${apart}s`)])
  const BY: { [name: string]: TSchema } =
    finer === undefined
      ? {}
      : { by: Type.Optional(Type.String({ enum: [apart], description: `Each ${apart} apart` })) }
  const inQuery = view.key.filter((column) => !place.inPath.includes(column))
  const keyQuery = Object.fromEntries(inQuery.map((column) => [column, Type.String()]))
  const params = Type.Object(Object.fromEntries(place.inPath.map((column) => [column, Type.String()])))
  const about = place.inPath.length > 0 ? { params } : {}
  const rangeOf = (asked: Asked) => parseRange(asked as AskedRange, clock.nowMs())

  function keyOf(request: FastifyRequest): string {
    const named = { ...(request.query as Asked), ...(request.params as Asked) }
    return joinKey(view.key.map((column) => named[column]!))
  }

  function found<T>(answer: T | null, key: string): T {
    if (answer !== null) return answer
    const what = splitKey(key).map((value, k) => `${view.key[k]} ${shown(value)}`)
    throw new TidemarkError('E_NOT_FOUND', `there is no ${what.join(', ')}`, {
      field: view.key[0]!,
      hint: `see GET ${place.keys}`,
    })
  }

  /** The stats of every key of the finer view that begins with `key`. */
  async function statsApart(key: string, range: Range) {
    await answers.reach(finer!.name, range)
    found(answers.stats(name, key, range), key)
    const { stats, ...whole } = await answers.analytics(finer!.name, range, `${key}${KEY_SEPARATOR}`)
    return { stats, ...whole }
  }

  /** The cells of every key of the finer view that begins with `key`. */
  async function seriesApart(key: string, range: Range, stepMs: number): Promise<CellsAnswer> {
    await answers.reach(finer!.name, range, stepMs)
    found(answers.stats(name, key, range), key)
    const keys = answers.keysWithin(finer!.name, range, `${key}${KEY_SEPARATOR}`)
    return answers.seriesOfAll(finer!.name, keys, range, stepMs)
  }

  app.get(
    place.keys,
    {
      schema: {
        summary: `The keys of ${name}, with first and last bucket and messages`,
        querystring: query(SEARCH),
        response: {
          200: Type.Object({ [named]: Type.Array(summarySchema(view)), ...WHOLE }),
          ...PROBLEMS,
        },
      },
    },
    async ({ query: asked }) => {
      const { q = '' } = asked as Asked
      const { keys, ...whole } = answers.keys(name)
      const wanted = keys.filter(({ key }) => key.toLowerCase().includes(q.toLowerCase()))
      return { [named]: wanted.map((key) => presentSummary(view, key)), ...presentWhole(whole) } as never
    },
  )

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
              ? Stats
              : Type.Union([Stats, Type.Object({ [`${apart}s`]: Type.Array(Finer), ...WHOLE })]),
          ...PROBLEMS,
        },
      },
    },
    async (request, reply) => {
      const asked = request.query as Asked
      const key = keyOf(request)
      const range = rangeOf(asked)
      const { as_of: asOf, explain, by } = asked
      if (by !== undefined) return sendStats(reply, `${apart}s`, await statsApart(key, range), pause)
      if (asOf !== undefined) {
        const at = parseAsOf(asOf, parseZone(asked.tz))
        return presentStats(
          found(await answers.statsAsOf(name, key, range, at), key),
          explain === '1',
        ) as never
      }
      await answers.reach(name, range)
      return presentStats(found(answers.stats(name, key, range), key), explain === '1') as never
    },
  )

  app.get(
    `${place.of}/${place.cells}`,
    {
      schema: {
        summary: `Rows of one key of ${name} in the view's own columns, one a bucket that has messages`,
        ...about,
        querystring: query({ ...keyQuery, ...RANGE, ...FORMAT, ...BY }),
        response: {
          200: {
            content: {
              'application/json': { schema: Type.Object({ rows: Type.Array(Row), ...WHOLE }) },
              'text/csv': { schema: Type.String() },
              'application/vnd.apache.parquet': { schema: Type.String({ format: 'binary' }) },
            },
          },
          ...PROBLEMS,
        },
      },
    },
    async (request, reply) => {
      const asked = request.query as Asked
      const key = keyOf(request)
      const range = rangeOf(asked)
      await answers.reach(name, range, view.bucketMs)
      const answer =
        asked.by === undefined
          ? found(answers.cells(name, key, range), key)
          : await seriesApart(key, range, finer!.bucketMs)
      return sendRows(reply, formatOf(request, asked.format), answer, `${name}-${key}`)
    },
  )

  app.get(
    `${place.of}/series`,
    {
      schema: {
        summary: `One key of ${name} in columns, one value a bucket of time`,
        ...about,
        querystring: query({ ...keyQuery, ...RANGE, ...STEP, ...BY }),
        response: { 200: Series, ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const asked = request.query as Asked
      const key = keyOf(request)
      const range = rangeOf(asked)
      const stepMs =
        asked.step === undefined
          ? chooseStep(range, SERIES_BUCKETS, view.bucketMs)
          : parseStep(asked.step, range, view.bucketMs)
      if (asked.by !== undefined) {
        const { cells, ...whole } = await seriesApart(key, range, stepMs)
        const columns = { ...presentSeriesApart(cells, `${apart}s`, range, stepMs), ...presentWhole(whole) }
        return sendText(reply, 'application/json', JSON.stringify(columns))
      }
      await answers.reach(name, range, stepMs)
      const { cells, ...whole } = found(answers.series(name, key, range, stepMs), key)
      const columns = { ...presentSeries(cells, range, stepMs), ...presentWhole(whole) }
      return sendText(reply, 'application/json', JSON.stringify(columns))
    },
  )

  app.get(
    place.analytics,
    {
      schema: {
        summary: `Stats of every key of ${name} with messages in a range`,
        querystring: query({ ...RANGE, ...BY }),
        response: { 200: Type.Object({ [named]: Type.Array(Stats), ...WHOLE }), ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const asked = request.query as Asked
      const range = rangeOf(asked)
      const of = asked.by === undefined ? name : finer!.name
      await answers.reach(of, range)
      return sendStats(reply, named, await answers.analytics(of, range), pause)
    },
  )
}

/** An integer is a version, anything else a time. */
function parseAsOf(text: string, zone: string): AsOf {
  if (/^\d{1,15}$/.test(text)) return { version: Number(text) }
  return { timeMs: parseInstant('as_of', text, zone) }
}

/** Rows as they were asked for. CSV and Parquet say in the header `tidemark-complete` whether the answer is whole. */
async function sendRows(
  reply: FastifyReply,
  format: Format,
  { cells, ...whole }: CellsAnswer,
  name: string,
): Promise<FastifyReply> {
  if (format === 'json') {
    const pieces = Readable.from(rowsPieces(cells, whole), { objectMode: false })
    return reply.type('application/json; charset=utf-8').send(pieces)
  }
  const file = `${name.replaceAll(/[^A-Za-z0-9._-]/g, '_').slice(0, 100)}.${format}`
  reply
    .header('tidemark-complete', String(whole.complete))
    .header('content-disposition', `attachment; filename="${file}"`)
  if (format === 'parquet') return reply.type(PARQUET_TYPE).send(Buffer.from(await toParquet(cells)))
  const columns = viewColumns(cells.view).map((column) => column.name)
  return sendText(reply, 'text/csv', toCsv(columns, presentRows(cells)))
}

function* rowsPieces(cells: CellsAnswer['cells'], whole: Whole): Generator<Buffer> {
  yield Buffer.from('{"rows":')
  for (const piece of rowsJson(cells)) yield Buffer.from(piece)
  yield Buffer.from(`,${JSON.stringify(presentWhole(whole)).slice(1)}`)
}

function sendText(reply: FastifyReply, type: string, text: string): FastifyReply {
  return reply
    .serializer((payload: unknown) => payload as string)
    .type(`${type}; charset=utf-8`)
    .send(text)
}
