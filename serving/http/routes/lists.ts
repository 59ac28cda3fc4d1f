import { type TSchema, Type } from 'typebox'
import type { KeySummary } from '../../../schemas/cell-rows.ts'
import { compareUtf8 } from '../../../schemas/utf8.ts'
import type { View } from '../../../schemas/view.ts'
import type { Range, Stats, StatsAnswer } from '../../answers.ts'
import { bothWhole } from '../../moment.ts'
import { type AskedRange, parseRange } from '../../range.ts'
import type { App } from '../app.ts'
import { parseAsOf } from '../as-of.ts'
import { keyColumns, type ListColumn, statsColumns } from '../columns.ts'
import { isUnchanged } from '../etag.ts'
import { formatOf } from '../format.ts'
import { type AskedPage, cursorOf, pageOf, pageQuery, parseCursor } from '../page.ts'
import { presentStats, presentSummary, presentWhole } from '../present.ts'
import {
  AS_OF,
  FORMAT,
  filed,
  PAGED,
  PROBLEMS,
  query,
  RANGE,
  SEARCH,
  statsSchema,
  summarySchema,
  WHOLE,
} from '../schemas.ts'
import { sendList } from '../send-list.ts'
import { sendTable } from '../send-rows.ts'
import { tableOfList } from '../table.ts'
import { type Asked, filterQuery, namingOf, type Place, type QuestionsDeps, wanting } from './place.ts'

/** A list of what is known of keys. */
export interface KeyList<T extends KeySummary> {
  readonly path: string
  readonly summary: string
  readonly view: View
  /** What its rows are called. */
  readonly named: string
  readonly schema: TSchema
  readonly columns: readonly ListColumn<T>[]
  /** Which rows `q` finds; absent: those with it in any value of the key. */
  readonly searched?: (row: T) => string
  row(summary: KeySummary): T
  present(row: T): object
}

/** `GET` a list of keys: filtered, sorted, paged, as JSON, CSV or Parquet. */
export function keyListRoute<T extends KeySummary>(
  app: App,
  list: KeyList<T>,
  { answers, pause }: QuestionsDeps,
): void {
  const { view, named, columns } = list
  app.get(
    list.path,
    {
      schema: {
        summary: list.summary,
        querystring: query({ ...SEARCH, ...filterQuery(view), ...pageQuery(columns), ...FORMAT }),
        response: {
          200: filed(Type.Object({ [named]: Type.Array(list.schema), ...PAGED, ...WHOLE })),
          ...PROBLEMS,
        },
      },
    },
    async (request, reply) => {
      const asked = request.query as Asked
      const { q = '', ...filter } = asked
      const part = q.toLowerCase()
      const { searched = ({ key }) => key } = list
      const isWanted = wanting(view, filter)
      const { keys, ...whole } = answers.keys(view.name)
      const rows = keys.flatMap((key) => {
        if (!isWanted(key.key)) return []
        const row = list.row(key)
        return part === '' || searched(row).toLowerCase().includes(part) ? [row] : []
      })
      const page = pageOf(rows, { columns, keyOf: ({ key }) => key }, asked as AskedPage)
      const format = formatOf(request, reply, asked.format)
      if (format !== 'json')
        return sendTable(reply, tableOfList(columns, page.rows), whole, {
          format,
          name: named,
          bom: asked.bom === '1',
          pause,
          parquet: answers.parquet,
        })
      const about = () => ({ ...pagedAbout(rows.length, page.next), ...presentWhole(whole) })
      return sendList(reply, { named, rows: page.rows, present: list.present, about }, pause)
    },
  )
}

function pagedAbout(total: number, next: string | null) {
  return { total, ...(next !== null && { next }) }
}

/** The keys of a view, and the stats of all of them. */
export function listRoutes(app: App, place: Place, deps: QuestionsDeps): void {
  const { view, named } = place
  keyListRoute(
    app,
    {
      path: place.keys,
      summary: `The keys of ${view.name}, with first and last bucket and messages`,
      view,
      named,
      schema: summarySchema(view),
      columns: keyColumns(view),
      row: (summary) => summary,
      present: (summary) => presentSummary(view, summary),
    },
    deps,
  )
  analyticsRoute(app, place, deps)
}

function analyticsRoute(app: App, place: Place, { answers, clock, pause }: QuestionsDeps): void {
  const { view, named, finer } = place
  const { BY } = namingOf(place)
  const schemas = [view, ...(finer === undefined ? [] : [finer])].map(statsSchema)
  const Stats = schemas.length === 1 ? schemas[0]! : Type.Union(schemas)
  app.get(
    place.analytics,
    {
      schema: {
        summary: `Stats of every key of ${view.name} with messages in a range`,
        querystring: query({
          ...RANGE,
          ...AS_OF,
          ...SEARCH,
          ...filterQuery(view),
          ...pageQuery(statsColumns(view)),
          ...BY,
          ...FORMAT,
        }),
        response: {
          200: filed(Type.Object({ [named]: Type.Array(Stats), ...PAGED, ...WHOLE })),
          ...PROBLEMS,
        },
      },
    },
    async (request, reply) => {
      const asked = request.query as Asked
      const range = parseRange(asked as AskedRange, clock.nowMs())
      const of = asked.by === undefined ? view : finer!
      const isNow = asked.as_of === undefined
      if (isNow && isUnchanged(request, reply, range, answers.fingerprint(of.name, range)))
        return reply.code(304).send(null as never)
      const { rows, total, next, ...whole } = await statsPage(answers, of, range, asked)
      const format = formatOf(request, reply, asked.format)
      if (format !== 'json')
        return sendTable(reply, tableOfList(statsColumns(of), rows), whole, {
          format,
          name: `${of.name}-analytics`,
          bom: asked.bom === '1',
          pause,
          parquet: answers.parquet,
        })
      const about = () => ({ ...pagedAbout(total, next), ...presentWhole(whole) })
      return sendList(reply, { named, rows, present: presentStats, about }, pause)
    },
  )
}

export interface StatsPage extends Omit<StatsAnswer, 'stats'> {
  readonly rows: readonly Stats[]
  /** Keys on all pages: those that may have messages in the range. */
  readonly total: number
  readonly next: string | null
}

/** A page that holds one row in so many is made of two looks at the cells. */
const FEW = 2

/**
 * A page in another order than the keys': of every key what it is sorted by, then the stats of those on the page. Messages may come
 * between the two, so the page is put in order once more.
 */
async function sortedPage(
  answers: QuestionsDeps['answers'],
  view: View,
  range: Range,
  keys: readonly string[],
  asked: AskedPage & { readonly sort: string },
): Promise<Omit<StatsPage, 'total'>> {
  const keyOf = ({ key }: Stats) => key
  const path = asked.sort.replace(/^-/, '')
  const ofViews = new Map<View, ListColumn<Stats>>()
  const columnOf = (of: View) => {
    let column = ofViews.get(of)
    if (column === undefined) {
      column = statsColumns(of).find((one) => one.path === path)!
      ofViews.set(of, column)
    }
    return column
  }
  const { stats: all, ...whole } = await answers.analytics(view.name, range, keys, { path })
  const column = { ...columnOf(view), of: (row: Stats) => columnOf(row.view).of(row) }
  const page = pageOf(all, { columns: [column], keyOf }, asked)
  await answers.reach(view.name, range)
  const own = page.rows.map(keyOf).sort(compareUtf8)
  const { stats, ...ofPage } = await answers.analytics(view.name, range, own)
  const { rows } = pageOf(stats, { columns: statsColumns(view), keyOf }, { sort: asked.sort })
  return { rows, next: page.next, ...bothWhole(whole, ofPage) }
}

/**
 * One page of the stats of the keys that are wanted. In the order of keys no more are computed than the page has; in any other all
 * are.
 */
export async function statsPage(
  answers: QuestionsDeps['answers'],
  view: View,
  range: Range,
  asked: Asked,
): Promise<StatsPage> {
  const { limit = Number.POSITIVE_INFINITY, after, sort } = asked as AskedPage
  const asOf = parseAsOf(asked, true)
  if (asOf !== null) {
    const { stats, ...whole } = await answers.analyticsAsOf(view.name, range, asOf, wanting(view, asked))
    const page = pageOf(stats, { columns: statsColumns(view), keyOf: ({ key }) => key }, asked as AskedPage)
    return { ...page, total: stats.length, ...whole }
  }
  const keys = answers.keysWithin(view.name, range, wanting(view, asked))
  await answers.reach(view.name, range)
  const total = keys.length
  // Of a page of few rows the others are sorted by and not told.
  if (sort !== undefined && limit <= keys.length / FEW)
    return { ...(await sortedPage(answers, view, range, keys, { limit, after, sort })), total }
  if (sort !== undefined) {
    const { stats, ...whole } = await answers.analytics(view.name, range, keys)
    const columns = statsColumns(view)
    return { ...pageOf(stats, { columns, keyOf: ({ key }) => key }, { limit, after, sort }), total, ...whole }
  }
  const cursor = after === undefined ? null : parseCursor(after, sort)
  const behind = cursor === null ? keys : keys.filter((key) => compareUtf8(key, cursor.key) > 0)
  const { stats, ...whole } = await answers.analytics(view.name, range, behind, { enough: limit + 1 })
  const rows = stats.slice(0, limit)
  const last = rows.at(-1)
  const next =
    last !== undefined && stats.length > rows.length ? cursorOf({ value: null, key: last.key }, sort) : null
  return { rows, total, next, ...whole }
}
