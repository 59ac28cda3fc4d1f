import type { FastifyReply } from 'fastify'
import { Type } from 'typebox'
import { TidemarkError } from '../../../schemas/errors.ts'
import { KEY_SEPARATOR } from '../../../schemas/key.ts'
import type { CellsAnswer, Range, Whole } from '../../answers.ts'
import { CELLS_MAX } from '../../answers.ts'
import { bothWhole } from '../../moment.ts'
import { type AskedRange, parseRange } from '../../range.ts'
import { chooseStep, parseStep } from '../../step.ts'
import type { App } from '../app.ts'
import { parseAsOf } from '../as-of.ts'
import { statsColumns } from '../columns.ts'
import { isUnchanged } from '../etag.ts'
import { parseExplain } from '../explain.ts'
import { pageQuery } from '../page.ts'
import { iso, presentExplain, presentWhole } from '../present.ts'
import {
  AS_OF,
  EXPLAIN,
  PAGED,
  PROBLEMS,
  query,
  RANGE,
  SEARCH,
  STEP,
  seriesApartSchema,
  seriesSchema,
} from '../schemas.ts'
import { sendList } from '../send-list.ts'
import { parseFields, presentSeriesApart, startsOf } from '../series-columns.ts'
import { seriesJson } from '../series-json.ts'
import { statsPage } from './lists.ts'
import { type Asked, found, keyOf, namingOf, type Place, type QuestionsDeps } from './place.ts'

/** Buckets of a series whose step is chosen. */
const SERIES_BUCKETS = 1_500
/** The same where there are several: as many as a small chart shows. */
const SPARKLINE_BUCKETS = 60
/** Keys of a page that says no limit. */
const PAGE_KEYS = 100
/** Keys whose series are made at once. */
const KEYS_AT_ONCE = 16

const FIELDS = {
  fields: Type.Optional(
    Type.String({
      description: 'What of it, like cpu.mean,cpu.max,messages; absent: everything',
    }),
  ),
}

/** Columns of one key, or of many, one value a bucket of time. */
export function seriesRoutes(app: App, place: Place, deps: QuestionsDeps): void {
  const { view, finer } = place
  const { answers, clock, pause } = deps
  const { name } = view
  const { about, keyQuery, keyFilter, BY, apart } = namingOf(place)
  const isMany = place.inPath.length === 0
  const Series = seriesSchema(view)
  const manySchemas = isMany
    ? [seriesApartSchema(view, place.named, PAGED)]
    : finer === undefined
      ? []
      : [seriesApartSchema(finer, `${apart}s`)]
  const rangeOf = (asked: Asked) => parseRange(asked as AskedRange, clock.nowMs())
  const stepOf = (asked: Asked, range: Range, buckets: number, bucketMs = view.bucketMs) =>
    asked.step === undefined ? chooseStep(range, buckets, bucketMs) : parseStep(asked.step, range, bucketMs)

  /** The columns of one key. */
  function sendOne(
    reply: FastifyReply,
    asked: Asked,
    range: Range,
    stepMs: number,
    { cells, basis, parts, ...whole }: CellsAnswer,
    explain: boolean,
  ) {
    const about = {
      ...presentWhole(whole),
      ...(explain && parts && { explain: presentExplain(basis, parts) }),
    }
    return sendJson(reply, seriesJson(cells, range, stepMs, parseFields(view, asked.fields), about))
  }

  app.get(
    `${place.of}/series`,
    {
      schema: {
        summary: isMany
          ? `One key of ${name} in columns, one value a bucket of time; many where not all of the key is named`
          : `One key of ${name} in columns, one value a bucket of time`,
        ...about,
        querystring: query({
          ...(isMany ? { ...keyFilter, ...SEARCH, ...pageQuery(statsColumns(view)) } : keyQuery),
          ...RANGE,
          ...STEP,
          ...AS_OF,
          ...FIELDS,
          ...EXPLAIN,
          ...BY,
        }),
        response: {
          200: manySchemas.length === 0 ? Series : Type.Union([Series, ...manySchemas]),
          ...PROBLEMS,
        },
      },
    },
    async (request, reply) => {
      const asked = request.query as Asked
      const range = rangeOf(asked)
      const ofMany = isMany && view.key.some((column) => asked[column] === undefined)
      const of = asked.by === undefined ? view : finer!
      const isOne = !ofMany && asked.by === undefined
      const asOf = parseAsOf(asked, isOne)
      const explain = parseExplain(asked, isOne)
      if (asOf !== null) {
        const key = keyOf(place, request)
        const stepMs = stepOf(asked, range, SERIES_BUCKETS)
        return sendOne(
          reply,
          asked,
          range,
          stepMs,
          found(place, await answers.cellsAsOf(name, key, range, asOf, stepMs), key),
          explain,
        )
      }
      const fingerprint = answers.fingerprint(of.name, range, isOne ? keyOf(place, request) : undefined)
      if (!explain && isUnchanged(request, reply, range, fingerprint))
        return reply.code(304).send(null as never)
      if (ofMany) {
        const stepMs = stepOf(asked, range, SPARKLINE_BUCKETS)
        const fields = parseFields(view, asked.fields)
        const { rows, total, next, ...whole } = await statsPage(answers, view, range, {
          ...asked,
          limit: asked.limit ?? (PAGE_KEYS as never),
        })
        const keys = rows.map(({ key }) => key)
        limitBuckets(keys.length, range, stepMs)
        const made = { whole: whole as Whole }
        return sendList(
          reply,
          {
            named: place.named,
            rows: seriesOf(deps, place, keys, range, stepMs, fields, made),
            present: (one) => one,
            about: () => ({
              t: startsOf(range, stepMs).map(iso),
              step_ms: stepMs,
              total,
              ...(next !== null && { next }),
              ...presentWhole(made.whole),
            }),
          },
          pause,
        )
      }
      const key = keyOf(place, request)
      const stepMs = stepOf(asked, range, SERIES_BUCKETS)
      if (asked.by !== undefined) {
        await answers.reach(of.name, range, stepMs)
        found(place, answers.stats(name, key, range), key)
        const keys = answers.keysWithin(of.name, range, (one) => one.startsWith(`${key}${KEY_SEPARATOR}`))
        const { cells, ...whole } = answers.seriesOfAll(of.name, keys, range, stepMs)
        const columns = {
          t: startsOf(range, stepMs).map(iso),
          [`${apart}s`]: [
            ...presentSeriesApart(cells, range, stepMs, parseFields(of, asked.fields)).values(),
          ],
          step_ms: stepMs,
          ...presentWhole(whole),
        }
        return sendJson(reply, JSON.stringify(columns))
      }
      await answers.reach(name, range, stepMs)
      const answer = found(place, answers.series(name, key, range, stepMs, explain), key)
      return sendOne(reply, asked, range, stepMs, answer, explain)
    },
  )
}

/** Columns are few values a bucket: they are written at once. */
function sendJson(reply: FastifyReply, json: string | Buffer): FastifyReply {
  return reply.type('application/json; charset=utf-8').send(json)
}

function limitBuckets(keys: number, { fromMs, toMs }: Range, stepMs: number): void {
  const buckets = keys * Math.ceil((toMs - fromMs) / stepMs)
  if (buckets <= CELLS_MAX) return
  throw new TidemarkError(
    'E_PARAMETER',
    `${keys} keys in steps of ${stepMs} ms make ${buckets} buckets; at most ${CELLS_MAX} are answered: lower limit, or take longer steps`,
    { field: 'limit' },
  )
}

/** The columns of each of `keys`, some at once. `made.whole` says at the end whether all of it is whole. */
async function* seriesOf(
  { answers, pause }: QuestionsDeps,
  { view }: Place,
  keys: readonly string[],
  range: Range,
  stepMs: number,
  fields: ReadonlySet<string> | null,
  made: { whole: Whole },
): AsyncGenerator<readonly object[]> {
  for (let from = 0; from < keys.length; from += KEYS_AT_ONCE) {
    await answers.reach(view.name, range, stepMs)
    const some = keys.slice(from, from + KEYS_AT_ONCE)
    const { cells, ...whole } = answers.seriesOfAll(view.name, some, range, stepMs)
    made.whole = bothWhole(made.whole, whole)
    const all = presentSeriesApart(cells, range, stepMs, fields)
    yield some.flatMap((key) => all.get(key) ?? [])
    await pause?.()
  }
}
