import { fileURLToPath } from 'node:url'
import fastifyStatic from '@fastify/static'
import type { FastifyInstance, FastifyReply } from 'fastify'
import { isError } from '../../schemas/errors.ts'
import type { Clock } from '../../schemas/ports/clock.ts'
import { parseRange } from '../range.ts'

/** What `npm run pages` builds from the folder `pages/`. */
const BUILT = fileURLToPath(new URL('../../pages/dist', import.meta.url))

/** A changed file has another name. */
const FOR_EVER = 'public, max-age=31536000, immutable'

/** Paths at which the application of the pages answers; which page is shown it reads from the address. */
const PATHS = ['/', '/analysis', '/live', '/system']

/** Whether a path is one of the pages: if there is nothing, they are not built. */
export const isPagePath = (path: string) => PATHS.includes(path)

/**
 * The pages: files that are built beforehand, and ask the API like anyone else. Returns how a browser's user is answered who asks for a
 * page that there is not: the application says so itself, or `unbuilt` does where there is none.
 */
export function pages(
  app: FastifyInstance,
  { folder = BUILT, clock }: { folder?: string | undefined; clock: Clock },
): (reply: FastifyReply, unbuilt: () => FastifyReply) => FastifyReply {
  app.register(fastifyStatic, {
    root: folder,
    serve: false,
    cacheControl: false,
  })
  const page = (reply: FastifyReply, status: number) =>
    reply
      .code(status)
      .header('cache-control', 'no-cache')
      .type('text/html; charset=utf-8')
      .sendFile('index.html')
  const hidden = { schema: { hide: true } }
  for (const path of PATHS)
    app.get(path, hidden, async ({ query }, reply) =>
      page(reply, namesRange(query as Query, clock.nowMs()) ? 200 : 400),
    )
  app.get('/icon.svg', hidden, async (_request, reply) => reply.sendFile('icon.svg'))
  app.get<{ Params: { '*': string } }>('/assets/*', hidden, async ({ params }, reply) =>
    reply.header('cache-control', FOR_EVER).sendFile(`assets/${params['*']}`),
  )
  return (reply, unbuilt) => {
    // Of the file of the pages, where there is none, fastify would say so in words of its own.
    reply.callNotFound = unbuilt
    return page(reply, 404)
  }
}

type Query = { readonly [name: string]: string | readonly string[] | undefined }

/** A range that moves with the clock, like `7d`. */
const LAST = /^0*[1-9]\d{0,4}[mhd]$/
const DATE = /^\d{4}-\d\d-\d\d$/

/** Whether an address names a range: what is wrong with one that does not, the page says itself. */
function namesRange(query: Query, nowMs: number): boolean {
  // Of a parameter that is there twice a page reads the first.
  const [from, to, last, tz] = ['from', 'to', 'last', 'tz'].map((name) => [query[name]].flat()[0])
  if (from === undefined && to === undefined && last !== undefined && !LAST.test(last)) return false
  try {
    const { fromMs, toMs } = parseRange({ from, to, tz }, nowMs, { lastDayIncluded: true })
    // Only a date that a zone left out has no length.
    return fromMs < toMs || (from === to && DATE.test(to ?? ''))
  } catch (error) {
    if (isError(error, 'E_PARAMETER')) return false
    throw error
  }
}
