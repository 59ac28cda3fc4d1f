import type { AddressInfo } from 'node:net'
import Database from 'better-sqlite3'
import fastify from 'fastify'

/**
 * The floors of serving, a process of its own: a route that answers with bytes that it holds, and one that reads the bytes of each
 * question's answer from SQLite. Neither knows what they mean.
 */
const db = new Database(process.argv[2]!)
db.pragma('journal_mode = WAL')
const read = db.prepare<[string], { body: string }>('SELECT body FROM answer WHERE path = ?')
const held = new Map(
  db
    .prepare<[], { kind: string; body: string }>('SELECT kind, body FROM answer GROUP BY kind')
    .all()
    .map(({ kind, body }) => [kind, body]),
)

const app = fastify()
app.get<{ Params: { kind: string } }>('/bare/:kind', async ({ params }, reply) =>
  reply.type('application/json; charset=utf-8').send(held.get(params.kind)!),
)
app.get('/stored/*', async ({ url }, reply) =>
  reply.type('application/json; charset=utf-8').send(read.get(url.slice('/stored'.length))!.body),
)
await app.listen({ host: '127.0.0.1', port: 0 })
process.send!({ port: (app.server.address() as AddressInfo).port })
process.on('disconnect', () => process.exit())
