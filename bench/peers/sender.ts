import net from 'node:net'
import type { Sent } from '../ingest/sender.ts'
import { percentiles } from '../measure.ts'
import { Points } from './points.ts'

/**
 * The sender of the peers, a process of its own: connections that are kept alive, each posting its next points as soon as
 * those before are acknowledged; then it tells its parent what came of it. HTTP by hand, since a client library would cost
 * more than the points.
 */
export interface PostOptions {
  readonly port: number
  readonly path: string
  readonly connections: number
  readonly seconds: number
  readonly linesPerRequest: number
}

class Poster {
  readonly #socket: net.Socket
  readonly #points: Points
  readonly #head: string
  readonly #latencies: number[]
  readonly #lines: number
  acked = 0
  #body: Buffer
  #atMs = 0
  #answer = ''

  constructor(connection: number, { port, path, linesPerRequest }: PostOptions, latencies: number[]) {
    this.#points = new Points(connection, linesPerRequest)
    this.#latencies = latencies
    this.#lines = linesPerRequest
    this.#body = this.#points.next(Date.now())
    this.#head = `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: ${this.#body.length}\r\n\r\n`
    this.#socket = net.connect({ host: '127.0.0.1', port, noDelay: true })
    this.#socket.setEncoding('latin1')
    this.#socket.on('data', (text) => this.#read(String(text)))
    this.#socket.once('connect', () => this.#post())
  }

  /** Sends what is ready, and makes the next ready while it waits for the answer. */
  #post(): void {
    this.#atMs = performance.now()
    this.#socket.cork()
    this.#socket.write(this.#head)
    this.#socket.write(this.#body)
    this.#socket.uncork()
    this.#body = this.#points.next(Date.now())
  }

  /** An answer to a write has no body. */
  #read(text: string): void {
    this.#answer += text
    if (!this.#answer.includes('\r\n\r\n')) return
    if (!this.#answer.startsWith('HTTP/1.1 204')) throw new Error(this.#answer)
    this.#answer = ''
    this.acked += this.#lines
    this.#latencies.push(performance.now() - this.#atMs)
    this.#post()
  }

  close(): void {
    this.#socket.destroy()
  }
}

async function post(options: PostOptions): Promise<Sent> {
  const latencies: number[] = []
  const perSecond: number[] = []
  const startedMs = performance.now()
  const posters = Array.from(
    { length: options.connections },
    (_, connection) => new Poster(connection, options, latencies),
  )
  const acknowledged = () => posters.reduce((sum, { acked }) => sum + acked, 0)
  let before = 0
  const everySecond = setInterval(() => {
    perSecond.push(acknowledged() - before)
    before = acknowledged()
  }, 1_000)
  await new Promise((resolve) => setTimeout(resolve, options.seconds * 1_000))
  clearInterval(everySecond)
  for (const poster of posters) poster.close()
  return {
    acknowledged: acknowledged(),
    seconds: (performance.now() - startedMs) / 1_000,
    perSecond,
    latencyMs: percentiles(latencies),
  }
}

process.send!(await post(JSON.parse(process.argv[2]!) as PostOptions))
process.disconnect()
