import type { FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import type { ErasedMessages } from '../../../lake/erase/condition.ts'
import type { Erasures } from '../../../lake/erase/erasures.ts'
import { DEFAULT_DATASET } from '../../../schemas/dataset.ts'
import { TidemarkError } from '../../../schemas/errors.ts'
import { shown } from '../../../schemas/shown.ts'
import { parseInstant } from '../../range.ts'
import type { App } from '../app.ts'
import { NoQuery, orNull, PROBLEMS } from '../schemas.ts'
import type { Identities } from '../session/identity.ts'
import { whoOf } from '../who.ts'

const Asked = Type.Object(
  {
    dataset: Type.Optional(Type.String()),
    where: Type.Record(Type.String(), Type.String(), {
      description: 'Values by column, keys or the source: messages that have all of them are erased',
    }),
    from: Type.Optional(Type.String({ description: 'ISO 8601, a date, or milliseconds since 1970' })),
    to: Type.Optional(Type.String({ description: 'The end, exclusive; like from' })),
    dry_run: Type.Optional(Type.Boolean({ description: 'Only count what would be erased' })),
    vacuum: Type.Optional(
      Type.Boolean({ description: 'Remove old versions at once instead of after lake.retention' }),
    ),
  },
  { additionalProperties: false },
)

const State = Type.Object({
  erasure: Type.String(),
  state: Type.Union([Type.Literal('running'), Type.Literal('waiting'), Type.Literal('ended')]),
  stage: orNull(Type.String()),
  rows: Type.Integer(),
  frozen_cells: Type.Object(
    { removed: Type.Integer(), unnamed: Type.Integer() },
    { description: 'Cells of expired messages that were removed, or do not name it any more' },
  ),
  erased: Type.Boolean({ description: 'Whether no answer holds what was erased' }),
  reason: orNull(Type.String({ description: 'Why it waits' })),
})
const Found = Type.Object({
  rows: Type.Integer(),
  files: Type.Integer(),
  frozen_cells: Type.Integer(),
})
const Started = Type.Object({ erasure: Type.String() })
const Vacuum = Type.Object({ vacuum: Type.Optional(Type.Boolean()) }, { additionalProperties: false })

/** Erasures of messages; to begin one needs an admin. */
export function erasureRoutes(app: App, erasures: Erasures, identities: Identities | null): void {
  const params = Type.Object({ erasure: Type.String() })
  const unknown = (id: string) =>
    new TidemarkError('E_NOT_FOUND', `there is no erasure ${shown(id)} that is not over`, {
      field: 'erasure',
      hint: 'see GET /v1/erasures, and `tidemark lake audit` for those that are over',
    })

  app.post(
    '/v1/erasures',
    {
      schema: {
        summary: 'Erase messages accepted before, from everywhere',
        body: Asked,
        response: { 200: Found, 202: Started, ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const { dataset = DEFAULT_DATASET, where, from, to, dry_run: isDry, vacuum = false } = request.body
      const what: ErasedMessages = {
        where,
        fromMs: from === undefined ? null : parseInstant('from', from, 'UTC'),
        toMs: to === undefined ? null : parseInstant('to', to, 'UTC'),
      }
      if (isDry) return reply.code(200).send(await erasures.preview(dataset, what))
      const who = whoOf(request as FastifyRequest, identities)
      const { id } = await erasures.start({ ...what, dataset, who, vacuum })
      return reply.code(202).header('location', `/v1/erasures/${id}`).send({ erasure: id })
    },
  )

  app.get(
    '/v1/erasures',
    {
      schema: {
        summary: 'Erasures that are not over',
        querystring: NoQuery,
        response: { 200: Type.Object({ erasures: Type.Array(State) }), ...PROBLEMS },
      },
    },
    async () => ({ erasures: [...(await erasures.pending())] }),
  )

  app.get(
    '/v1/erasures/:erasure',
    {
      schema: {
        summary: 'How far an erasure is',
        params,
        querystring: NoQuery,
        response: { 200: State, ...PROBLEMS },
      },
    },
    async ({ params: { erasure } }) => {
      const state = await erasures.find(erasure)
      if (state === null) throw unknown(erasure)
      return state
    },
  )

  app.post(
    '/v1/erasures/:erasure',
    {
      schema: {
        summary: 'Go on with an erasure that waits',
        params,
        body: Type.Union([Vacuum, Type.Null()]),
        response: { 202: Started, ...PROBLEMS },
      },
    },
    async ({ params: { erasure }, body }, reply) => {
      if ((await erasures.find(erasure)) === null) throw unknown(erasure)
      void erasures.resume(erasure, { vacuum: body?.vacuum ?? false })
      return reply.code(202).send({ erasure })
    },
  )
}
