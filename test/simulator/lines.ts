import type { Socket } from '../../schemas/ports/net.ts'
import type { SimNet } from '../sim/net.ts'
import { BAD_LINES, REFUSED_SERVICE } from './bad-lines.ts'
import { HARMLESS } from './sender.ts'

/** An unnumbered connection: sends once, reads the acks, sends nothing again. A good line's host is used once. */
export class Lines {
  /** Hosts of good lines, null for bad ones, in the order sent. */
  readonly sent: (string | null)[] = []
  acked = 0
  errors = 0
  open = true
  readonly #socket: Socket
  #text = ''

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.handle({
      data: (bytes) => this.#receive(bytes),
      end: () => this.finish(),
      drain: () => {},
      close: () => {
        this.open = false
      },
    })
  }

  /** Null when nobody listens. */
  static async connect(net: SimNet): Promise<Lines | null> {
    const socket = await net.connect('127.0.0.1', 7070).catch(() => null)
    return socket === null ? null : new Lines(socket)
  }

  good(host: string, line: string): void {
    this.sent.push(host)
    this.#socket.write(`${line}\n`)
  }

  /** One of the bad lines. */
  bad(pick: number): void {
    const line = BAD_LINES[Math.floor(pick * BAD_LINES.length)]!
    this.sent.push(null)
    this.#socket.write(line)
    this.#socket.write('\n')
  }

  /** Closes this side in order. */
  finish(): void {
    this.#socket.end()
  }

  /** Goes without a word, with a line half sent. */
  vanish(): void {
    this.#socket.write(`{"service":"${REFUSED_SERVICE}","cpu":1,"ram":1,"disk":1}`)
    this.#socket.destroy()
  }

  #receive(bytes: Uint8Array): void {
    this.#text += Buffer.from(bytes).toString('utf8')
    const lines = this.#text.split('\n')
    this.#text = lines.pop()!
    for (const line of lines) {
      const { ack, error } = JSON.parse(line) as { ack?: number; error?: { code: string } }
      if (ack !== undefined) this.acked = ack
      else if (error !== undefined && !HARMLESS.includes(error.code)) this.errors += 1
    }
  }
}
