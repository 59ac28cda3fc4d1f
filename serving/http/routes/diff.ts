import { Type } from 'typebox'
import { diffVersions, type GaugeDiff, type KeyDiff, type VersionDiff } from '../../../lake/query/diff.ts'
import { TidemarkError } from '../../../schemas/errors.ts'
import { shown } from '../../../schemas/shown.ts'
import type { App, ServedQueries } from '../app.ts'
import { goneOf } from '../gone.ts'
import { PROBLEMS, query } from '../schemas.ts'

const Version = Type.String({ pattern: '^\\d{1,15}$' })

const Key = Type.Array(Type.String())

const Side = Type.Object({
  version: Type.Integer(),
  definition: Type.String(),
  key: Key,
  gauges: Type.Array(Type.String()),
  cells: Type.Integer(),
  messages: Type.Integer(),
})

const Diff = Type.Object({
  view: Type.String(),
  key: Key,
  a: Side,
  b: Side,
  cells: Type.Object({ added: Type.Integer(), removed: Type.Integer(), changed: Type.Integer() }),
  gauges: Type.Array(
    Type.Object({
      gauge: Type.String(),
      changed: Type.Integer(),
      total_a: Type.Number(),
      total_b: Type.Number(),
      most: Type.Union([
        Type.Object({ key: Key, time: Type.String(), a: Type.Number(), b: Type.Number() }),
        Type.Null(),
      ]),
    }),
  ),
  keys: Type.Array(
    Type.Object({
      key: Key,
      added: Type.Integer(),
      removed: Type.Integer(),
      changed: Type.Integer(),
      messages_a: Type.Integer(),
      messages_b: Type.Integer(),
    }),
  ),
})

/** What changed between two published versions of a view. */
export function diffRoutes(app: App, { queries, published }: ServedQueries): void {
  app.get(
    '/v1/runs/diff',
    {
      schema: {
        summary: 'What changed between two published versions of a view, by gauge and key',
        querystring: query({ a: Version, b: Version, view: Type.Optional(Type.String()) }),
        response: { 200: Diff, ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const { a, b, view } = request.query as { a: string; b: string; view?: string }
      const table = published(view ?? null)
      if (table === null)
        throw new TidemarkError('E_NOT_FOUND', `there is no view ${shown(view ?? '')}`, {
          field: 'view',
          hint: 'see GET /v1/views',
        })
      const versions = { a: Number(a), b: Number(b) }
      return presentDiff(await diffVersions(queries, table, versions, goneOf(reply)))
    },
  )
}

/** A comparison as JSON says it. */
export function presentDiff({ gauges, keys, a, b, key: compared, ...about }: VersionDiff) {
  const gauge = ({ totalA, totalB, most, ...rest }: GaugeDiff) => ({
    ...rest,
    total_a: totalA,
    total_b: totalB,
    most: most === null ? null : { ...most, key: [...most.key] },
  })
  const key = ({ messagesA, messagesB, key, ...rest }: KeyDiff) => {
    return { key: [...key], ...rest, messages_a: messagesA, messages_b: messagesB }
  }
  const side = (one: VersionDiff['a']) => ({ ...one, key: [...one.key], gauges: [...one.gauges] })
  const sides = { key: [...compared], a: side(a), b: side(b) }
  return { ...about, ...sides, gauges: gauges.map(gauge), keys: keys.map(key) }
}
