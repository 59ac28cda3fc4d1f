import { Readable } from 'node:stream'
import { Type } from 'typebox'
import { TidemarkError } from '../../../schemas/errors.ts'
import { DAY_MS } from '../../../schemas/time.ts'
import type { View } from '../../../schemas/view.ts'
import { FOLLOWERS_MAX, Followers } from '../../live/followers.ts'
import type { App, HttpDeps } from '../app.ts'
import { presentingCells } from '../present.ts'
import { PROBLEMS, query, SEARCH } from '../schemas.ts'
import { type Asked, wanting } from './place.ts'

const VIEW_DEFAULT = 'service_minute'

/** The newest cells as they change, as server-sent events. */
export function liveRoutes(app: App, { answers, clock, random, pause, logLine }: HttpDeps): void {
  const followers = new Followers({
    answers,
    clock,
    random,
    ...(pause && { pause }),
    write(cells) {
      const present = presentingCells(cells)
      return (i) => JSON.stringify(present(i))
    },
    about: (name) => `"complete":${answers.whole(name, lastDay(clock.nowMs())).complete}`,
    logLine,
  })
  // The server waits for its connections: theirs end before.
  app.addHook('preClose', () => followers.close())
  const views = answers.views().map(({ view }) => view)
  const columns = [...new Set(views.flatMap(({ key }) => key))]
  const names = views.map(({ name }) => name)
  const first = names.includes(VIEW_DEFAULT) ? VIEW_DEFAULT : names[0]!
  const keyQuery = columns.map((column) => [
    column,
    Type.Optional(Type.String({ description: `Only cells of this ${column}` })),
  ])

  app.get(
    '/v1/live',
    {
      // Its head would have to wait for its end.
      exposeHeadRoute: false,
      schema: {
        summary: 'Server-sent events: the newest cells of a view as they change',
        description:
          'Each event `cells` holds cells as they are by then; the first ones hold all of the last minutes. With `Last-Event-ID` those that changed since.',
        querystring: query({
          ...SEARCH,
          ...Object.fromEntries(keyQuery),
          view: Type.Optional(Type.String({ enum: names, description: `Absent: ${first}` })),
        }),
        headers: Type.Object({ 'last-event-id': Type.Optional(Type.String()) }),
        response: {
          200: { content: { 'text/event-stream': { schema: Type.String() } } },
          ...PROBLEMS,
        },
      },
    },
    async (request, reply) => {
      const { view: name = first, q, ...named } = request.query as { [parameter: string]: string }
      const view = views.find((one) => one.name === name)!
      if (followers.isFull)
        throw new TidemarkError('E_BUSY', `${FOLLOWERS_MAX} others follow the newest cells already`)
      const gone = new AbortController()
      reply.raw.once('close', () => gone.abort())
      const wanted = {
        view: name,
        filter: JSON.stringify([q, named]),
        wants: wantingKnown(view, { q, ...named }),
        lastId: (request.headers['last-event-id'] as string | undefined) ?? null,
      }
      const events = Readable.from(followers.follow(wanted, gone.signal, () => reply.raw.destroy()))
      return reply
        .type('text/event-stream; charset=utf-8')
        .header('cache-control', 'no-store')
        .header('x-accel-buffering', 'no')
        .send(events as never)
    },
  )
}

/** Which keys of a view are wanted. Throws `E_PARAMETER` for a column that it does not have. */
function wantingKnown(view: View, { q, ...named }: Asked): (key: string) => boolean {
  for (const column of Object.keys(named))
    if (!view.key.includes(column))
      throw new TidemarkError(
        'E_PARAMETER',
        `${view.name} has no ${column}; its key is ${view.key.join(', ')}`,
        { field: column },
      )
  return wanting(view, { q, ...named })
}

const lastDay = (nowMs: number) => ({ fromMs: nowMs - DAY_MS, toMs: nowMs })
