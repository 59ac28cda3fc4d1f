import { Type } from 'typebox'
import { TidemarkError } from '../../../schemas/errors.ts'
import { shown } from '../../../schemas/shown.ts'
import { NO_TOKEN } from '../access.ts'
import type { App, HttpDeps } from '../app.ts'
import { hideIn } from '../hide.ts'
import { metricsText } from '../metrics-text.ts'
import { presentRun, presentState } from '../present-run.ts'
import type { RequestRate } from '../rate.ts'
import { NoQuery, PROBLEMS, query, Run, RunState, StartedRun, StartRun } from '../schemas.ts'

/** Questions about Tidemark itself, and the start of a run. */
export function operationRoutes(app: App, deps: HttpDeps, rate: RequestRate): void {
  app.get(
    '/v1/status',
    {
      schema: {
        summary: 'The state of every layer',
        querystring: NoQuery,
        response: { 200: Type.Any(), ...PROBLEMS },
      },
    },
    async () => hideIn(await deps.status(), deps.hidePaths),
  )

  runRoutes(app, deps)

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

  app.get(
    '/metrics',
    {
      schema: {
        summary: 'The figures of every layer, as Prometheus text',
        querystring: NoQuery,
        response: { 200: { content: { 'text/plain': { schema: Type.String() } } }, ...PROBLEMS },
      },
    },
    async (_request, reply) => {
      const [{ ready }, status] = [await deps.ready(), await deps.status()]
      const text = metricsText('tidemark', { ready, http: rate.figures, ...status })
      return reply.type('text/plain; version=0.0.4; charset=utf-8').send(text)
    },
  )

  app.get('/openapi.json', { schema: { hide: true } }, async () => app.swagger())
}

function runRoutes(app: App, { runs, runStarter, hidePaths }: HttpDeps): void {
  const params = Type.Object({ run: Type.String() })
  const unknown = (run: string) =>
    new TidemarkError('E_NOT_FOUND', `there is no run ${shown(run)}`, {
      field: 'run',
      hint: 'see GET /v1/runs',
    })

  app.get(
    '/v1/runs',
    {
      schema: {
        summary: 'Recorded batch runs, newest first, a row a view',
        querystring: query({
          limit: Type.Optional(Type.Integer({ minimum: 1, description: 'Rows; absent: all' })),
        }),
        response: { 200: Type.Object({ runs: Type.Array(Run) }), ...PROBLEMS },
      },
    },
    async (request) => {
      const { limit } = request.query as { readonly limit?: number }
      return { runs: hideIn((await runs()).slice(0, limit).map(presentRun), hidePaths) as never[] }
    },
  )

  app.post(
    '/v1/runs',
    {
      schema: {
        summary: 'Start a batch run over everything accepted before',
        body: Type.Union([StartRun, Type.Null()]),
        response: { 202: StartedRun, ...PROBLEMS },
      },
    },
    async ({ body }, reply) => {
      const { run, ended } = runStarter.start({ full: body?.full ?? false })
      // How it ended is in its record.
      void ended.catch(() => {})
      return reply.code(202).header('location', `/v1/runs/${run}`).send({ run })
    },
  )

  app.get(
    '/v1/runs/:run',
    {
      schema: {
        summary: 'One run: its stage and progress while it goes on, its records afterwards',
        params,
        querystring: NoQuery,
        response: { 200: RunState, ...PROBLEMS },
      },
    },
    async ({ params: { run } }) => {
      const state = await runStarter.find(run)
      if (state === null) throw unknown(run)
      return hideIn(presentState(state), hidePaths) as never
    },
  )

  app.delete(
    '/v1/runs/:run',
    {
      schema: {
        summary: 'Cancel a run that is going on',
        params,
        querystring: NoQuery,
        response: { 202: StartedRun, ...PROBLEMS },
      },
    },
    async ({ params: { run } }, reply) => {
      if (runStarter.cancel(run)) return reply.code(202).send({ run })
      if ((await runStarter.find(run)) === null) throw unknown(run)
      throw new TidemarkError('E_RUN_ENDED', `run ${run} has ended`)
    },
  )
}
