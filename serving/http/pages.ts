import { fileURLToPath } from 'node:url'
import fastifyStatic from '@fastify/static'
import type { FastifyInstance } from 'fastify'

/** What `npm run pages` builds from the folder `pages/`. */
const BUILT = fileURLToPath(new URL('../../pages/dist', import.meta.url))

/** A changed file has another name. */
const FOR_EVER = 'public, max-age=31536000, immutable'

/** Paths at which the application of the pages answers; which page is shown it reads from the address. */
const PATHS = ['/', '/analysis', '/live', '/system']

/** Whether a path is one of the pages: if there is nothing, they are not built. */
export const isPagePath = (path: string) => PATHS.includes(path)

/** The pages: files that are built beforehand, and ask the API like anyone else. */
export async function pages(app: FastifyInstance, { folder = BUILT }: { folder?: string | undefined }) {
  await app.register(fastifyStatic, {
    root: folder,
    serve: false,
    cacheControl: false,
  })
  const hidden = { schema: { hide: true } }
  for (const path of PATHS)
    app.get(path, hidden, async (_request, reply) =>
      reply.header('cache-control', 'no-cache').type('text/html; charset=utf-8').sendFile('index.html'),
    )
  app.get('/icon.svg', hidden, async (_request, reply) => reply.sendFile('icon.svg'))
  app.get<{ Params: { '*': string } }>('/assets/*', hidden, async ({ params }, reply) =>
    reply.header('cache-control', FOR_EVER).sendFile(`assets/${params['*']}`),
  )
}
