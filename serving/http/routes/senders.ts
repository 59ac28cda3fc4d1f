import { type Static, Type } from 'typebox'
import type { Clock } from '../../../schemas/ports/clock.ts'
import type { SeenAgent, SeenRefusal, SeenSenders } from '../../../schemas/ports/senders.ts'
import type { App } from '../app.ts'
import { type ListColumn, plain } from '../columns.ts'
import { type AskedPage, pageOf, pageQuery } from '../page.ts'
import { iso } from '../present.ts'
import { NoQuery, orNull, PAGED, PROBLEMS, query, SEARCH, time } from '../schemas.ts'

const Agent = Type.Object({
  agent: Type.String(),
  names: Type.Array(Type.String(), { description: 'Of a message of its, like service and host' }),
  dataset: orNull(Type.String()),
  remote: Type.String(),
  version: orNull(Type.String()),
  scope: orNull(Type.String()),
  connected: Type.Boolean(),
  since: time,
  newest: orNull(time),
  lag_ms: orNull(Type.Integer({ description: 'How old its newest message is' })),
  accepted: Type.Integer(),
  lost: Type.Integer(),
})
type Agent = Static<typeof Agent>

const Refusal = Type.Object({
  time,
  remote: Type.String(),
  agent: orNull(Type.String()),
  code: Type.String(),
  field: orNull(Type.String()),
  reason: Type.String(),
})

const COLUMNS: readonly ListColumn<Agent>[] = [
  plain('agent', 'string', ({ agent }) => agent),
  plain('version', 'string', ({ version }) => version),
  plain('connected', 'boolean', ({ connected }) => connected),
  plain('lag_ms', 'long', ({ lag_ms }) => lag_ms),
  plain('accepted', 'long', ({ accepted }) => accepted),
  plain('lost', 'long', ({ lost }) => lost),
]

const CONNECTED = {
  connected: Type.Optional(
    Type.String({ enum: ['0', '1'], description: '1: only those that are, 0: that are not' }),
  ),
}
type Asked = AskedPage & { readonly q?: string; readonly connected?: string }

/** Who sends to the collector of this process, and what it refused. */
export function senderRoutes(app: App, senders: SeenSenders, clock: Clock): void {
  app.get(
    '/v1/agents',
    {
      schema: {
        summary: 'The agents that sent since the start, with version, lag and losses',
        querystring: query({ ...SEARCH, ...CONNECTED, ...pageQuery(COLUMNS) }),
        response: { 200: Type.Object({ agents: Type.Array(Agent), ...PAGED }), ...PROBLEMS },
      },
    },
    async (request) => {
      const { q = '', connected, ...asked } = request.query as Asked
      const part = q.toLowerCase()
      const nowMs = clock.nowMs()
      const all = (await senders.agents()).map((one) => presentAgent(one, nowMs))
      const found = all.filter(
        (one) =>
          (connected === undefined || one.connected === (connected === '1')) &&
          [one.agent, ...one.names].some((name) => name.toLowerCase().includes(part)),
      )
      const { rows, next } = pageOf(found, { columns: COLUMNS, keyOf: ({ agent }) => agent }, asked)
      return { agents: [...rows], total: found.length, ...(next !== null && { next }) }
    },
  )
  app.get(
    '/v1/rejects',
    {
      schema: {
        summary: 'The lines that were refused last, the newest first',
        querystring: NoQuery,
        response: { 200: Type.Object({ rejects: Type.Array(Refusal) }), ...PROBLEMS },
      },
    },
    async () => ({ rejects: (await senders.refusals()).map(presentRefusal) }),
  )
}

function presentAgent({ sinceMs, newestMs, names, ...same }: SeenAgent, nowMs: number): Agent {
  return {
    ...same,
    names: [...names],
    since: iso(sinceMs),
    newest: newestMs === null ? null : iso(newestMs),
    lag_ms: newestMs === null ? null : Math.max(0, nowMs - newestMs),
  }
}

function presentRefusal({ timeMs, ...same }: SeenRefusal): Static<typeof Refusal> {
  return { time: iso(timeMs), ...same }
}
