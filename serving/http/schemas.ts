import { Type } from 'typebox'
import type { View } from '../../schemas/view.ts'
import { viewColumns } from '../../schemas/view-table.ts'

/** What requests and answers look like: checked by fastify, and the source of /openapi.json. */

const time = Type.String({ format: 'date-time', description: 'ISO 8601 in UTC with milliseconds' })
const orNull = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T) =>
  Type.Union([schema, Type.Null()])
const position = Type.Record(Type.String(), Type.Integer(), {
  description: 'Per partition of the log, the offset of the last block included',
})

export const RangeQuery = Type.Object(
  {
    from: Type.Optional(
      Type.String({ description: 'ISO 8601, a date, or milliseconds since 1970; both absent: 24 hours' }),
    ),
    to: Type.Optional(Type.String({ description: 'The end, exclusive; like from' })),
    tz: Type.Optional(Type.String({ description: 'IANA zone in which dates are meant; default UTC' })),
  },
  { additionalProperties: false },
)

export const StatsQuery = Type.Object(
  {
    ...RangeQuery.properties,
    as_of: Type.Optional(
      Type.String({
        description: 'Batch cells of one version alone: its number, or a time it was current at',
      }),
    ),
    explain: Type.Optional(
      Type.String({ enum: ['0', '1'], description: '1 adds what the answer stands on' }),
    ),
  },
  { additionalProperties: false },
)

export const RowsQuery = Type.Object(
  { ...RangeQuery.properties, format: Type.Optional(Type.String({ enum: ['json', 'csv'] })) },
  { additionalProperties: false },
)

export const ServicesQuery = Type.Object(
  { q: Type.Optional(Type.String({ description: 'Part of the name' })) },
  { additionalProperties: false },
)

export const NoQuery = Type.Object({}, { additionalProperties: false })

export const ServiceParams = Type.Object({ service: Type.String() })

const Gauge = Type.Object({
  total: Type.Number(),
  mean: orNull(Type.Number()),
  max: orNull(Type.Number()),
  max_time: orNull(time),
  max_host: orNull(Type.String()),
})

const Gap = Type.Object({
  reason: Type.String(),
  partition: Type.Integer(),
  from: Type.Integer({ description: 'The block before the first one missing' }),
  to: orNull(Type.Integer({ description: 'The last block missing' })),
  from_time: orNull(time),
  to_time: orNull(time),
})

const Explain = Type.Object({
  position: Type.Record(Type.String(), Type.Integer(), {
    description: 'The answer folds exactly the messages at or below it',
  }),
  run: orNull(Type.String()),
  definition: Type.String(),
  lake_version: orNull(Type.Integer({ description: 'Version of messages that the run read' })),
  files: Type.Integer(),
  ticks: Type.Array(Type.Object({ partition: Type.Integer(), from: Type.Integer(), to: Type.Integer() })),
})

/** The stats of one service, its gauges by name. */
export function statsSchema(view: View) {
  return Type.Object({
    service: Type.String(),
    from: time,
    to: time,
    messages: Type.Integer(),
    ...Object.fromEntries(view.gauges.map(({ gauge }) => [gauge, Gauge])),
    answered_by: Type.Object({ batch: Type.Integer(), realtime: Type.Integer() }),
    tidemark: position,
    view_version: orNull(Type.Integer()),
    complete: Type.Boolean(),
    gaps: Type.Optional(Type.Array(Gap)),
    explain: Type.Optional(Explain),
  })
}

/** A row in the view's own columns. */
export function rowSchema(view: View) {
  return Type.Object(
    Object.fromEntries(
      viewColumns(view).map(({ name, type }) => [
        name,
        type === 'timestamp' ? time : type === 'string' ? Type.String() : Type.Number(),
      ]),
    ),
  )
}

export const ServiceSummary = Type.Object({
  service: Type.String(),
  first_minute: time,
  last_minute: time,
  messages: Type.Integer(),
})

export const Problem = Type.Object({
  type: Type.String(),
  title: Type.String(),
  status: Type.Integer(),
  detail: Type.String(),
  code: Type.String(),
  hint: Type.String(),
  parameter: Type.Optional(Type.String()),
})

export const Run = Type.Object({
  run: Type.String(),
  view: Type.String(),
  started: time,
  ended: time,
  result: Type.String({ enum: ['published', 'nothing_new', 'lost_race', 'failed'] }),
  error: orNull(Type.String()),
  full: Type.Boolean(),
  engine: Type.String(),
  definition: Type.String(),
  messages_version: Type.Integer(),
  view_version: orNull(Type.Integer()),
  tidemark: position,
  hours: Type.Integer(),
  files: Type.Integer(),
  rows: Type.Integer(),
})

export const StartRun = Type.Object({ full: Type.Optional(Type.Boolean()) }, { additionalProperties: false })
