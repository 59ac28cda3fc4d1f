import type { SimSocket } from '../sim/net.ts'
import { REFUSED_SERVICE } from './bad-lines.ts'
import { HARMLESS } from './sender.ts'

/** What a flood consists of: lines that are all alike. */
interface FloodKind {
  /** Whether each must be refused; else each is a repeat of the first. */
  readonly refused: boolean
  readonly line: string
  readonly count: number
  /** Whether the client reads the answers. */
  readonly reads: boolean
}

/** Each strains another limit: of answers that nobody reads, of lines that wait, of bytes that wait. */
export const FLOODS = {
  unread: {
    refused: true,
    line: `{"service":"${REFUSED_SERVICE}","cpu":"${'\u{1F30A}'.repeat(30)}"}\n`,
    count: 30_000,
    reads: false,
  },
  lines: { refused: true, line: `{"service":"${REFUSED_SERVICE}"}\n`, count: 20_000, reads: true },
  repeats: {
    refused: false,
    line: '{"service":"search","host":"flood","time_stamp":"2026-11-30T12:00:00Z","seq":1,"cpu":1,"ram":1,"disk":1}\n',
    count: 30_000,
    reads: true,
  },
  bytes: { refused: true, line: `"${'x'.repeat(60_000)}\n`, count: 320, reads: true },
} as const satisfies { readonly [name: string]: FloodKind }

export type FloodName = keyof typeof FLOODS

/** A client that sends more than a collector can want to hold. */
export class Flood {
  readonly name: FloodName
  readonly refused: boolean
  readonly lineBytes: number
  readonly #hello: string
  /** Lines that it was told are settled, and error lines. */
  acked = 0
  errors = 0
  open = true
  readonly #socket: SimSocket
  #text = ''

  constructor(name: FloodName, socket: SimSocket, agent: string) {
    const { line, count, reads, refused } = FLOODS[name]
    this.refused = refused
    this.#hello = refused ? '' : `${JSON.stringify({ hello: 1, agent })}\n`
    this.name = name
    this.#socket = socket
    const bytes = Buffer.from(line)
    this.lineBytes = bytes.length
    socket.handle({
      data: (answers) => this.#receive(answers),
      end: () => socket.end(),
      drain: () => {},
      close: () => {
        this.open = false
      },
    })
    if (!reads) socket.pause()
    if (this.#hello !== '') socket.write(Buffer.from(this.#hello))
    socket.write(Buffer.alloc(bytes.length * count, bytes))
  }

  /** Answers that it has not read. */
  get unreadBytes(): number {
    return this.#socket.unreadBytes
  }

  /** Lines that the collector took and that are not settled, as far as this client knows. */
  get unsettled(): number {
    const lines = Math.floor((this.#socket.takenBytes - this.#hello.length) / this.lineBytes)
    // One acknowledgement is for all repeats.
    return this.refused ? lines - this.acked : this.acked > 0 ? 0 : Math.max(0, lines)
  }

  leave(): void {
    this.#socket.destroy()
  }

  #receive(answers: Uint8Array): void {
    this.#text += Buffer.from(answers).toString('latin1')
    const lines = this.#text.split('\n')
    this.#text = lines.pop()!
    for (const line of lines) {
      if (line.startsWith('{"ack":')) this.acked = Number(line.slice(7, -1))
      else if (line.startsWith('{"welcome":')) continue
      else if (!HARMLESS.some((code) => line.includes(code))) this.errors += 1
    }
  }
}
