import { type TSchema, Type } from 'typebox'
import { answerFields } from '../../schemas/gauge-answer.ts'
import type { View } from '../../schemas/view.ts'
import { viewColumns } from '../../schemas/view-columns.ts'
import { PARQUET_TYPE } from './format.ts'

/** What requests and answers look like: checked by fastify, and the source of /openapi.json. */

export const time = Type.String({ format: 'date-time', description: 'ISO 8601 in UTC with milliseconds' })
export const orNull = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()])
const position = Type.Record(Type.String(), Type.Integer(), {
  description: 'Per partition of the log, the offset of the last block included',
})

export const RANGE = {
  from: Type.Optional(
    Type.String({ description: 'ISO 8601, a date, or milliseconds since 1970; both absent: 24 hours' }),
  ),
  to: Type.Optional(Type.String({ description: 'The end, exclusive; like from' })),
  tz: Type.Optional(Type.String({ description: 'IANA zone in which dates are meant; default UTC' })),
}

export const AS_OF = {
  as_of: Type.Optional(
    Type.String({ description: 'Batch cells of one version alone: its number, or a time it was current at' }),
  ),
}

export const EXPLAIN = {
  explain: Type.Optional(
    Type.String({
      enum: ['0', '1'],
      description: '1 adds what the answer was put together from; of one key',
    }),
  ),
}

export const STATS = { ...AS_OF, ...EXPLAIN }

export const STEP = {
  step: Type.Optional(
    Type.String({
      description: 'Length of a bucket, like 1m, 15m, 1h or 7d, or milliseconds; absent: chosen to fit',
    }),
  ),
}

export const FORMAT = {
  format: Type.Optional(
    Type.String({ enum: ['json', 'csv', 'parquet'], description: 'Instead of the header Accept' }),
  ),
  bom: Type.Optional(
    Type.String({ enum: ['0', '1'], description: '1 begins CSV with a byte-order mark, for Excel' }),
  ),
}

/** An answer that has rows: as JSON, or in flat columns. */
export function filed(json: TSchema) {
  return {
    content: {
      'application/json': { schema: json },
      'text/csv': { schema: Type.String() },
      [PARQUET_TYPE]: { schema: Type.String({ format: 'binary' }) },
    },
  }
}

/** What a page of a list says of the others. */
export const PAGED = {
  total: Type.Integer({ description: 'Rows on all pages' }),
  next: Type.Optional(Type.String({ description: '`after` of the next page; absent on the last' })),
}

export const SEARCH = { q: Type.Optional(Type.String({ description: 'Part of the name' })) }

/** A query of exactly these parameters. */
export function query<T extends Parameters<typeof Type.Object>[0]>(properties: T) {
  return Type.Object(properties, { additionalProperties: false })
}

export const NoQuery = query({})

const Gap = Type.Object({
  reason: Type.String(),
  partition: Type.Integer(),
  from: Type.Integer({ description: 'The block before the first one missing' }),
  to: orNull(Type.Integer({ description: 'The last block missing' })),
  from_time: orNull(time),
  to_time: orNull(time),
})

/** Whether an answer is whole. */
export const WHOLE = {
  complete: Type.Boolean({
    description: 'Whether it holds everything accepted longer ago than the freshness bound',
  }),
  gaps: Type.Optional(Type.Array(Gap)),
}

const BLOCKS = { partition: Type.Integer(), from: Type.Integer(), to: Type.Integer() }
const SIZED = {
  path: Type.String(),
  rows: orNull(Type.Integer()),
  bytes: orNull(Type.Integer()),
  messages: Type.Integer(),
}

const Explain = Type.Object({
  position: Type.Record(Type.String(), Type.Integer(), {
    description: 'The answer folds exactly the messages at or below it',
  }),
  run: orNull(Type.String()),
  definition: Type.String(),
  lake_version: orNull(Type.Integer({ description: 'Version of messages that the run read' })),
  view_version: orNull(Type.Integer()),
  files: Type.Array(Type.Object(SIZED), { description: 'Files of the version that gave messages' }),
  ticks: Type.Array(Type.Object({ ...BLOCKS, ...SIZED })),
  open: Type.Array(Type.Object({ ...BLOCKS, messages: Type.Integer() }), {
    description: 'What the speed layer holds in memory beyond the ticks',
  }),
})

const FIELD_TYPES = { double: Type.Number(), long: Type.Integer(), timestamp: time, string: Type.String() }

function keyProperties(view: View) {
  return Object.fromEntries(view.key.map((column) => [column, Type.String()]))
}

/** The stats of one key, its gauges by name. */
export function statsSchema(view: View) {
  const gauge = (g: number) =>
    Type.Object(
      Object.fromEntries(
        answerFields(view, g).map(({ name, type, nullable }) => {
          const plain: TSchema = FIELD_TYPES[type]
          return [name, nullable ? orNull(plain) : plain]
        }),
      ),
    )
  return Type.Object({
    ...keyProperties(view),
    from: time,
    to: time,
    messages: Type.Integer(),
    ...Object.fromEntries(view.gauges.map((one, g) => [one.gauge, gauge(g)])),
    answered_by: Type.Object({ batch: Type.Integer(), realtime: Type.Integer() }),
    tidemark: position,
    view_version: orNull(Type.Integer()),
    ...WHOLE,
    explain: Type.Optional(Explain),
  })
}

const Pairs = Type.Array(Type.Object({ bucket: Type.Integer(), count: Type.Integer() }))
const COLUMN_TYPES = { ...FIELD_TYPES, sketch: Pairs }

/** A row in the view's own columns. */
export function rowSchema(view: View) {
  return Type.Object(
    Object.fromEntries(
      viewColumns(view).map(({ name, type, nullable }) => {
        const plain: TSchema = COLUMN_TYPES[type]
        return [name, nullable ? orNull(plain) : plain]
      }),
    ),
  )
}

/** Columns of equal length, one value a bucket; null in a bucket without messages. Of wanted fields alone. */
export function seriesSchema(view: View) {
  return Type.Object({
    t: Type.Array(time),
    ...seriesColumnSchemas(view),
    step_ms: Type.Integer(),
    ...WHOLE,
    explain: Type.Optional(Explain),
  })
}

function seriesColumnSchemas(view: View): { [name: string]: TSchema } {
  const column = (type: TSchema) => Type.Optional(Type.Array(orNull(type)))
  const gauge = (g: number) =>
    Type.Object(
      Object.fromEntries(
        answerFields(view, g)
          .filter(({ type }) => type === 'double')
          .map(({ name }) => [name, column(Type.Number())]),
      ),
    )
  const gauges = view.gauges.map((one, g) => [one.gauge, Type.Optional(gauge(g))])
  return { ...Object.fromEntries(gauges), messages: column(Type.Integer()) }
}

/** The same of every key: the buckets once. */
export function seriesApartSchema(view: View, named: string, more: { [name: string]: TSchema } = {}) {
  const apart = Type.Array(Type.Object({ ...keyProperties(view), ...seriesColumnSchemas(view) }))
  return Type.Object({ t: Type.Array(time), [named]: apart, step_ms: Type.Integer(), ...more, ...WHOLE })
}

/** What is known of a key. */
export function summarySchema(view: View) {
  return Type.Object({
    ...keyProperties(view),
    first_minute: time,
    last_minute: time,
    messages: Type.Integer(),
  })
}

export const Problem = Type.Object({
  type: Type.String(),
  title: Type.String(),
  status: Type.Integer(),
  detail: Type.String(),
  code: Type.String(),
  hint: Type.String(),
  parameter: Type.Optional(Type.String()),
})

const problem = { content: { 'application/problem+json': { schema: Problem } } }
export const PROBLEMS = { '4xx': problem, '5xx': problem }

export const RESULTS = ['published', 'nothing_new', 'lost_race', 'failed', 'cancelled']

const Stage = Type.Object({
  stage: Type.String({ enum: ['plan', 'map', 'reduce', 'publish'] }),
  inputs: Type.Object({ files: Type.Integer(), rows: Type.Integer(), bytes: Type.Integer() }),
  rows: orNull(Type.Integer()),
  bytes: orNull(Type.Integer()),
  reused: Type.Integer(),
  seconds: orNull(Type.Number()),
  joined: orNull(Type.String({ enum: ['plan', 'map', 'reduce', 'publish'] })),
  error: orNull(Type.String()),
})

export const Run = Type.Object({
  run: Type.String(),
  view: Type.String(),
  started: time,
  ended: time,
  result: Type.String({ enum: RESULTS }),
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
  stages: Type.Array(Stage),
  report: orNull(Type.String()),
})

export const RunState = Type.Object({
  run: Type.String(),
  state: Type.String({ enum: ['running', 'ended'] }),
  full: Type.Boolean(),
  started: time,
  ended: orNull(time),
  stage: orNull(Type.String({ enum: ['tick', 'seal', 'plan', 'compute', 'publish', 'record'] })),
  progress: orNull(Type.Object({ done: Type.Integer(), total: Type.Integer() })),
  result: orNull(Type.String({ enum: RESULTS })),
  error: orNull(Type.String()),
  views: Type.Array(Run),
})

export const StartedRun = Type.Object({ run: Type.String() })
export const StartRun = Type.Object({ full: Type.Optional(Type.Boolean()) }, { additionalProperties: false })
