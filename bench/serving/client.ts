import { connect, type Socket } from 'node:net'
import { type Percentiles, percentiles } from '../measure.ts'

/**
 * What asks in the serving benchmark, a process of its own: at each message it opens connections that are kept alive, each asking the
 * next question as soon as it has the answer before. HTTP by hand, since a client library would cost as much as the questions.
 */
export interface ClientOptions {
  readonly port: number
  readonly paths: readonly string[]
  readonly connections: number
  /** Asks them round and round for so long; absent: each once. */
  readonly seconds?: number
}

export interface Asked {
  readonly answers: number
  /** From a question to the last byte of its answer. */
  readonly latencyMs: Percentiles
  readonly seconds: number
}

const HEAD_END = Buffer.from('\r\n\r\n')
/** What an answer in chunks ends with; JSON has no such line. */
const LAST_CHUNK = '\r\n0\r\n\r\n'

/** One connection; `ask` resolves when the whole answer is there. */
class Connection {
  readonly #socket: Socket
  #parts: Buffer[] = []
  #length = 0
  /** Bytes of the answer that is under way, its head included; 0 while that is not known, infinite of one in chunks. */
  #whole = 0
  #done: { resolve(): void; reject(error: Error): void } | null = null

  constructor(port: number) {
    this.#socket = connect({ host: '127.0.0.1', port, noDelay: true })
    this.#socket.on('data', (bytes: Buffer) => this.#take(bytes))
    this.#socket.on('error', (error) => this.#done?.reject(error))
    this.#socket.on('close', () => this.#done?.reject(new Error('the server closed the connection')))
  }

  ask(path: string): Promise<void> {
    const { promise, ...done } = Promise.withResolvers<void>()
    this.#done = done
    this.#socket.write(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`)
    return promise
  }

  #take(bytes: Buffer): void {
    this.#parts.push(bytes)
    this.#length += bytes.length
    if (this.#whole === 0) this.#readHead()
    if (this.#whole === 0 || (this.#length < this.#whole && !this.#hasLastChunk())) return
    const done = this.#done
    this.#parts = []
    this.#length = 0
    this.#whole = 0
    this.#done = null
    done?.resolve()
  }

  #hasLastChunk(): boolean {
    if (this.#whole !== Number.POSITIVE_INFINITY) return false
    let end = ''
    for (let i = this.#parts.length - 1; i >= 0 && end.length < LAST_CHUNK.length; i--)
      end = this.#parts[i]!.subarray(-LAST_CHUNK.length).toString('latin1') + end
    return end.endsWith(LAST_CHUNK)
  }

  #readHead(): void {
    const bytes = Buffer.concat(this.#parts)
    const end = bytes.indexOf(HEAD_END)
    if (end < 0) return
    const head = bytes.toString('latin1', 0, end)
    const length = /\r\ncontent-length: (\d+)/i.exec(head)?.[1]
    const inChunks = /\r\ntransfer-encoding: chunked/i.test(head)
    if (!head.startsWith('HTTP/1.1 200') || (length === undefined && !inChunks))
      this.#done?.reject(new Error(head))
    else if (inChunks) this.#whole = Number.POSITIVE_INFINITY
    else this.#whole = end + HEAD_END.length + Number(length)
  }

  close(): void {
    this.#done = null
    this.#socket.destroy()
  }
}

async function ask({ port, paths, connections, seconds }: ClientOptions): Promise<Asked> {
  const latencies: number[] = []
  const startedMs = performance.now()
  const untilMs = seconds === undefined ? Number.POSITIVE_INFINITY : startedMs + seconds * 1_000
  let next = 0
  const all = Array.from({ length: connections }, async () => {
    const connection = new Connection(port)
    while (performance.now() < untilMs && (seconds !== undefined || next < paths.length)) {
      const path = paths[next++ % paths.length]!
      const beforeMs = performance.now()
      await connection.ask(path)
      latencies.push(performance.now() - beforeMs)
    }
    connection.close()
  })
  await Promise.all(all)
  return {
    answers: latencies.length,
    latencyMs: percentiles(latencies),
    seconds: (performance.now() - startedMs) / 1_000,
  }
}

process.on('message', async (options: ClientOptions) => {
  try {
    process.send!(await ask(options))
  } catch (error) {
    console.error(error)
    process.exit(1)
  }
})
process.send!({ ready: true })
