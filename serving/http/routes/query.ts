import { Readable } from 'node:stream'
import type { FastifyReply } from 'fastify'
import { Type } from 'typebox'
import type { ReadTable } from '../../../lake/query/catalog.ts'
import type { QueryAnswer } from '../../../lake/query/query-types.ts'
import type { App, Content, ServedQueries } from '../app.ts'
import { versionOrTime } from '../as-of.ts'
import { csvLine } from '../csv.ts'
import { formatOf, PARQUET_TYPE } from '../format.ts'
import { goneOf } from '../gone.ts'
import { iso } from '../present.ts'
import { FORMAT, PROBLEMS, query } from '../schemas.ts'
import { diffRoutes } from './diff.ts'

const Asked = Type.Object(
  {
    sql: Type.String({ minLength: 1, description: 'One SELECT over the tables of the lake' }),
    as_of: Type.Optional(
      Type.Union([Type.Integer({ minimum: 0 }), Type.String()], {
        description: 'The tables as they were: a time, or a version where the query reads one table',
      }),
    ),
    rows_max: Type.Optional(Type.Integer({ minimum: 0 })),
  },
  { additionalProperties: false },
)

const Table = Type.Object({
  name: Type.String(),
  version: Type.Union([Type.Integer(), Type.Null()]),
  time: Type.Union([Type.String(), Type.Null()]),
  rows: Type.Integer(),
  files: Type.Integer(),
  sealed_to: Type.Optional(Type.Union([Type.String(), Type.Null()])),
})

const Answered = Type.Object({
  columns: Type.Array(Type.Object({ name: Type.String(), type: Type.String() })),
  tables: Type.Array(Table),
  rows: Type.Array(Type.Array(Type.Any())),
  truncated: Type.Boolean(),
})

/** SQL over the tables of the lake. */
export function queryRoutes(app: App, served: ServedQueries): void {
  const { queries, withFile, whole } = served
  diffRoutes(app, served)
  app.post(
    '/v1/query',
    {
      schema: {
        summary: 'Run one SELECT over the tables of the lake',
        querystring: query(FORMAT),
        body: Asked,
        response: {
          200: {
            content: {
              'application/json': { schema: Answered },
              'text/csv': { schema: Type.String() },
              [PARQUET_TYPE]: { schema: Type.String({ format: 'binary' }) },
            },
          },
          ...PROBLEMS,
        },
      },
    },
    async (request, reply) => {
      const { sql, as_of: asOf, rows_max: rowsMax } = request.body
      const asked = {
        sql,
        asOf: asOf === undefined ? null : versionOrTime(String(asOf)),
        ...(rowsMax !== undefined && { rowsMax }),
      }
      const signal = goneOf(reply)
      const format = formatOf(request, reply as FastifyReply, (request.query as { format?: string }).format)
      if (format === 'parquet') {
        const { content, about } = await withFile((path) => queries.writeParquet(asked, path, signal))
        return sendContent(reply.type(PARQUET_TYPE), content, about)
      }
      const answer = await queries.run(asked, signal)
      if (format === 'csv') return sendCsv(reply, answer, whole)
      return reply.type('application/json; charset=utf-8').send(Readable.from(jsonOf(answer)) as never)
    },
  )
}

/** What was read, as the answer says it. */
function presentTables(tables: readonly ReadTable[]) {
  return tables.map(({ name, version, timeMs, rows, files, sealedToMs }) => ({
    name,
    version,
    time: timeMs === null ? null : iso(timeMs),
    rows,
    files,
    ...(sealedToMs !== undefined && { sealed_to: sealedToMs === 0 ? null : iso(sealedToMs) }),
  }))
}

async function* jsonOf(answer: QueryAnswer): AsyncGenerator<string> {
  await using read = answer
  const { columns, tables } = read
  yield `${JSON.stringify({ columns, tables: presentTables(tables) }).slice(0, -1)},"rows":[`
  let comma = ''
  for await (const rows of read.rows()) {
    if (rows.length === 0) continue
    yield `${comma}${rows.map((row) => JSON.stringify(row)).join(',')}`
    comma = ','
  }
  yield `],"truncated":${read.isCut()}}`
}

/** CSV says in its header fields what JSON says around the rows. */
async function sendCsv(
  reply: FastifyReply,
  answer: QueryAnswer,
  whole: ServedQueries['whole'],
): Promise<FastifyReply> {
  await using read = answer
  const content = await whole(csvOf(read))
  const about = { tables: read.tables, isCut: read.isCut() }
  return sendContent(reply.type('text/csv; charset=utf-8'), content, about)
}

async function* csvOf({ columns, rows }: QueryAnswer): AsyncGenerator<string> {
  yield csvLine(columns.map(({ name }) => name))
  for await (const some of rows()) yield some.map(csvLine).join('')
}

function sendContent(
  reply: FastifyReply,
  content: Content,
  { tables, isCut }: { tables: readonly ReadTable[]; isCut: boolean },
): FastifyReply {
  reply
    .header('tidemark-truncated', String(isCut))
    .header('tidemark-tables', JSON.stringify(presentTables(tables)))
  if (content instanceof Uint8Array) return reply.send(content)
  return reply.header('content-length', content.bytes).send(content.body)
}
