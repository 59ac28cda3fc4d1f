import { Type } from 'typebox'
import type { KeySummary } from '../../../schemas/cell-rows.ts'
import { gaugeNamed } from '../../../schemas/dataset.ts'
import { splitKey } from '../../../schemas/key.ts'
import { definitionHash } from '../../../schemas/view.ts'
import { viewColumns } from '../../../schemas/view-columns.ts'
import type { App } from '../app.ts'
import { keyColumns, plain } from '../columns.ts'
import { presentSummary } from '../present.ts'
import { NoQuery, orNull, PROBLEMS, summarySchema } from '../schemas.ts'
import { keyListRoute } from './lists.ts'
import type { Place, QuestionsDeps } from './place.ts'
import { questionRoutes } from './questions.ts'

/** A host without a message for so long is called silent. */
const SILENT_MS = 5 * 60_000

/** The definitions, the questions about every view, and the built-in views under names of their own. */
export function viewRoutes(app: App, deps: QuestionsDeps): void {
  definitionRoutes(app, deps)
  for (const { view } of deps.answers.views()) {
    const path = `/v1/views/${view.name}`
    const place = { keys: `${path}/keys`, named: 'keys', of: path, analytics: `${path}/analytics` } as const
    questionRoutes(app, { ...place, view, cells: 'cells', inPath: [] }, deps)
  }
  const builtIn = (name: string) => deps.answers.views().find(({ view }) => view.name === name)?.view
  const service = builtIn('service_minute')
  const host = builtIn('host_minute')
  if (service !== undefined)
    questionRoutes(app, { ...SERVICES, view: service, ...(host !== undefined && { finer: host }) }, deps)
  if (host !== undefined) hostRoutes(app, deps)
}

const SERVICES: Omit<Place, 'view'> = {
  keys: '/v1/services',
  named: 'services',
  of: '/v1/services/:service',
  analytics: '/v1/analytics',
  cells: 'minutes',
  inPath: ['service'],
}

function definitionRoutes(app: App, { answers }: QuestionsDeps): void {
  const Gauge = Type.Object({
    name: Type.String(),
    unit: Type.String(),
    min: Type.Number(),
    max: Type.Number(),
    optional: Type.Boolean(),
  })
  const Dataset = Type.Object({
    name: Type.String(),
    keys: Type.Array(Type.String()),
    source: orNull(Type.String()),
    gauges: Type.Array(Gauge),
    attributes: Type.Array(Type.String()),
    views: Type.Array(Type.String()),
  })
  app.get(
    '/v1/datasets',
    {
      schema: {
        summary: 'The datasets: keys, gauges with units, attributes, views',
        querystring: NoQuery,
        response: { 200: Type.Object({ datasets: Type.Array(Dataset) }), ...PROBLEMS },
      },
    },
    async () => {
      const views = answers.views()
      const datasets = [...new Set(views.map(({ dataset }) => dataset))]
      return {
        datasets: datasets.map((dataset) => ({
          ...dataset,
          keys: [...dataset.keys],
          gauges: [...dataset.gauges],
          attributes: [...dataset.attributes],
          views: views.filter((one) => one.dataset === dataset).map(({ view }) => view.name),
        })),
      }
    },
  )

  const View = Type.Object({
    name: Type.String(),
    dataset: Type.String(),
    key: Type.Array(Type.String()),
    source: orNull(Type.String()),
    bucket_ms: Type.Integer(),
    gauges: Type.Array(
      Type.Object({
        name: Type.String(),
        unit: Type.String(),
        scale: Type.Number(),
        optional: Type.Boolean(),
      }),
    ),
    measures: Type.Array(Type.String()),
    columns: Type.Array(Type.Object({ name: Type.String(), type: Type.String() })),
    definition: Type.String(),
    version: orNull(Type.Integer({ description: 'The published version; null before the first' })),
  })
  app.get(
    '/v1/views',
    {
      schema: {
        summary: 'The views: key, bucket, gauges, measures, definition hash, version',
        querystring: NoQuery,
        response: { 200: Type.Object({ views: Type.Array(View) }), ...PROBLEMS },
      },
    },
    async () => ({
      views: answers.views().map(({ view, dataset, version }) => ({
        name: view.name,
        dataset: view.dataset,
        key: [...view.key],
        source: view.source,
        bucket_ms: view.bucketMs,
        gauges: view.gauges.map(({ gauge, scale, optional }) => {
          return { name: gauge, unit: gaugeNamed(dataset, gauge).unit, scale, optional }
        }),
        measures: [...view.measures],
        columns: viewColumns(view).map(({ name, type }) => ({ name, type })),
        definition: definitionHash(view),
        version,
      })),
    }),
  )
}

function hostRoutes(app: App, deps: QuestionsDeps): void {
  const { view } = deps.answers.views().find((one) => one.view.name === 'host_minute')!
  interface ListedHost extends KeySummary {
    readonly silent: boolean
  }
  const Host = Type.Object({
    ...summarySchema(view).properties,
    silent: Type.Boolean({ description: 'Whether its last message is more than five minutes old' }),
  })
  keyListRoute<ListedHost>(
    app,
    {
      path: '/v1/hosts',
      summary: 'The hosts, with service, last message and whether silent',
      view,
      named: 'hosts',
      schema: Host,
      columns: [...keyColumns(view), plain('silent', 'boolean', ({ silent }) => silent)],
      searched: ({ key }) => splitKey(key).at(-1)!,
      // A minute lasts as long as the view's bucket.
      row: (key) => ({ ...key, silent: deps.clock.nowMs() - (key.lastMs + view.bucketMs) > SILENT_MS }),
      present: (host) => ({ ...presentSummary(view, host), silent: host.silent }),
    },
    deps,
  )
}
