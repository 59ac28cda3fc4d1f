import type { Socket } from '../../schemas/ports/net.ts'
import type { SimNet } from '../sim/net.ts'

/** Lines that must be refused, each for another reason; all but the first few name a service that must never be seen. */
const BAD_LINES: readonly (string | Uint8Array)[] = [
  '',
  '[]',
  '{"service":"refused"',
  Buffer.from([0x7b, 0xff, 0xfe, 0x7d]),
  '{"service":"refused","cpu":-1,"ram":1,"disk":1}',
  '{"service":"refused","cpu":1,"ram":1e400,"disk":1}',
  '{"service":"refused","cpu":1,"ram":1,"disk":"1"}',
  '{"service":"refused","cpu":1,"ram":1}',
  '{"service":"refused","host":"","cpu":1,"ram":1,"disk":1}',
  '{"service":"refused","time_stamp":"1970-01-01T00:00:00Z","cpu":1,"ram":1,"disk":1}',
  '{"service":"refused","time_stamp":4102444800000,"cpu":1,"ram":1,"disk":1}',
  `{"service":"refused","cpu":1,"ram":1,"disk":1,"x":"${'y'.repeat(66_000)}"}`,
]
export const REFUSED_SERVICE = 'refused'

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

  good(host: string, service: string, gauges: readonly number[]): void {
    const [cpu, ram, disk] = gauges
    this.sent.push(host)
    this.#socket.write(`${JSON.stringify({ service, host, cpu, ram, disk })}\n`)
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
      const { ack, error } = JSON.parse(line) as { ack?: number; error?: unknown }
      if (ack !== undefined) this.acked = ack
      else if (error !== undefined) this.errors += 1
    }
  }
}
