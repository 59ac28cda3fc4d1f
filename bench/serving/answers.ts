import { createHash } from 'node:crypto'
import Database from 'better-sqlite3'
import type { Percentiles } from '../measure.ts'
import { forkWith, messageOf } from '../process.ts'
import type { Asked, ClientOptions } from './client.ts'
import type { Kind } from './questions.ts'

/** One kind of question: what it took, and what the same bytes take of servers that know nothing. */
export interface KindMeasured {
  readonly kind: Kind
  /** Null where the product has no such path yet. */
  readonly times: {
    readonly up: Percentiles
    readonly bare: Percentiles
    readonly stored: Percentiles
  } | null
  /** Of one answer. */
  readonly bytes: number
}

export type Ask = (options: ClientOptions) => Promise<Asked>

/** The process that asks. */
export async function startClient() {
  const child = forkWith(new URL('client.ts', import.meta.url), {})
  await messageOf(child)
  const ask: Ask = (options) => {
    const answered = messageOf<Asked>(child)
    child.send(options)
    return answered
  }
  return { ask, [Symbol.dispose]: () => child.disconnect() }
}

const portOf = (serving: string) => Number(new URL(serving).port)

/** The answers of all questions, as the floors will give them: in a database at `path`, by path and kind. */
export async function storeAnswers(serving: string, kinds: readonly Kind[], path: string) {
  const db = new Database(path)
  db.exec('CREATE TABLE answer (path TEXT PRIMARY KEY, kind TEXT, body TEXT)')
  const insert = db.prepare('INSERT OR IGNORE INTO answer VALUES (?, ?, ?)')
  const hash = createHash('sha256')
  const bytes = new Map<string, number>()
  for (const { name, paths, mayLack } of kinds) {
    const bodies: string[] = []
    for (const one of paths) {
      const answer = await fetch(`${serving}${one}`)
      if (mayLack && answer.status === 404) break
      const body = await answer.text()
      if (!answer.ok) throw new Error(`${one}: ${body}`)
      if (name.startsWith('stats')) hash.update(figuresOf(body))
      bodies.push(body)
    }
    db.transaction(() => {
      for (const [i, body] of bodies.entries()) insert.run(paths[i]!, name, body)
    })()
    if (bodies.length === paths.length) bytes.set(name, Buffer.byteLength(bodies[0]!))
  }
  db.close()
  return { bytes, hash: hash.digest('hex').slice(0, 16) }
}

/** What `stats` say of the messages: nothing that depends on the day of the benchmark, on the run, or on how quotients are rounded. */
function figuresOf(body: string): string {
  const { messages, cpu, ram, disk } = JSON.parse(body)
  const gauges = [cpu, ram, disk].map(({ total, max, max_host }) => [total, max, max_host])
  return JSON.stringify([messages, gauges])
}

/** The process of the floors, over a database of answers. */
export async function startFloor(path: string) {
  const child = forkWith(new URL('floor.ts', import.meta.url), path)
  const { port } = await messageOf<{ port: number }>(child)
  return { port, pid: child.pid!, [Symbol.dispose]: () => child.disconnect() }
}

export const bare = (kind: Kind) => ({
  ...kind,
  paths: kind.paths.map(() => `/bare/${encodeURIComponent(kind.name)}`),
})
export const stored = (kind: Kind) => ({ ...kind, paths: kind.paths.map((path) => `/stored${path}`) })

/**
 * The questions over one connection: of `up` round and round for `seconds`, or each once where that is absent, of the bare route and of
 * SQLite each once.
 */
export async function measureKind(
  ask: Ask,
  kind: Kind,
  serving: string,
  floorPort: number,
  bytes: number | undefined,
  seconds?: number,
): Promise<KindMeasured> {
  if (bytes === undefined) return { kind, times: null, bytes: 0 }
  const asked = async (port: number, { paths }: Kind, seconds?: number) => {
    const options = { port, paths, connections: 1, ...(seconds !== undefined && { seconds }) }
    return (await ask(options)).latencyMs
  }
  // The floors' routes are compiled by their first questions, as those of `up` were.
  await ask({ port: floorPort, paths: stored(kind).paths, connections: 1 })
  const times = {
    bare: await asked(floorPort, bare(kind)),
    stored: await asked(floorPort, stored(kind)),
    up: await asked(portOf(serving), kind, seconds),
  }
  return { kind, times, bytes }
}

export interface Throughput {
  readonly perSecond: number
  /** Cores that the server used meanwhile. */
  readonly cores: number
}
