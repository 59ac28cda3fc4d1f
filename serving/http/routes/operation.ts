import { Type } from 'typebox'
import { NO_TOKEN } from '../access.ts'
import type { App, HttpDeps } from '../app.ts'
import { presentRun } from '../present.ts'
import { NoQuery, Problem, Run, StartRun } from '../schemas.ts'

/** Questions about Tidemark itself, and the start of a run. */
export function operationRoutes(app: App, deps: HttpDeps): void {
  const problems = { '4xx': Problem, '5xx': Problem }

  app.get(
    '/v1/status',
    {
      schema: {
        summary: 'The state of every layer',
        querystring: NoQuery,
        response: { 200: Type.Any(), ...problems },
      },
    },
    async () => deps.status(),
  )

  app.get(
    '/v1/runs',
    {
      schema: {
        summary: 'Batch runs, newest first',
        querystring: NoQuery,
        response: { 200: Type.Object({ runs: Type.Array(Run) }), ...problems },
      },
    },
    async () => ({ runs: (await deps.runs()).map(presentRun) as never[] }),
  )

  app.post(
    '/v1/runs',
    {
      schema: {
        summary: 'Start a batch run and wait for its end',
        body: Type.Union([StartRun, Type.Null()]),
        response: { 200: Run, ...problems },
      },
    },
    async ({ body }) => presentRun(await deps.runStarter.run({ full: body?.full ?? false })) as never,
  )

  app.get(
    '/healthz',
    {
      schema: {
        summary: 'Whether the process lives',
        ...NO_TOKEN,
        response: { 200: Type.Object({ ok: Type.Boolean() }) },
      },
    },
    async () => ({ ok: true }),
  )

  const Ready = Type.Object({ ready: Type.Boolean(), reasons: Type.Array(Type.String()) })
  app.get(
    '/readyz',
    {
      schema: {
        summary: 'Whether every layer works, and why not',
        ...NO_TOKEN,
        response: { 200: Ready, 503: Ready },
      },
    },
    async (_request, reply) => {
      const state = await deps.ready()
      return reply.code(state.ready ? 200 : 503).send({ ready: state.ready, reasons: [...state.reasons] })
    },
  )

  app.get('/openapi.json', { schema: { hide: true } }, async () => app.swagger())
}
