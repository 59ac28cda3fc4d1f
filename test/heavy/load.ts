import net from 'node:net'
import { host } from '../../schemas/datasets/host.ts'
import { toLine } from '../../schemas/message.ts'
import { hostMessage } from '../sim/messages.ts'

/** The messages of the load, each a pure function of its sender and number. */
export interface LoadMessage {
  readonly service: string
  readonly host: string
  readonly timeMs: number
  readonly gauges: readonly number[]
}

export function loadMessage(startMs: number, sender: number, seq: number): LoadMessage {
  // A quarter is late by up to some hours; values repeat, so that maxima tie.
  const lateMs = seq % 4 === 0 ? (seq % 5) * 3_600_000 : 0
  return {
    service: `service-${seq % 5}`,
    host: `host-${sender}-${seq % 7}`,
    timeMs: startMs + seq * 40 - lateMs,
    gauges: [(seq * 37) % 101, (seq * sender) % 97, (seq % 1_000) / 8],
  }
}

/** One agent of the load: sends in order, keeps what is not acknowledged, comes back where the welcome says. */
export class LoadSender {
  readonly sender: number
  readonly #startMs: number
  readonly #total: number
  #socket: net.Socket | null = null
  #text = ''
  sent = 0
  acked = 0
  /** The highest number ever sent. */
  highest = 0
  welcomes = 0
  errors: string[] = []

  constructor(sender: number, startMs: number, total: number) {
    this.sender = sender
    this.#startMs = startMs
    this.#total = total
  }

  get inFlight(): number {
    return this.#socket === null ? 0 : this.sent - this.acked
  }

  get connected(): boolean {
    return this.#socket !== null
  }

  get done(): boolean {
    return this.acked >= this.#total
  }

  connect(port: number, token?: string): void {
    const socket = net.connect(port, '127.0.0.1')
    this.#socket = null
    this.#text = ''
    socket.on('error', () => {})
    socket.on('close', () => {
      if (this.#socket === socket) this.#socket = null
    })
    const hello = JSON.stringify({ hello: 1, agent: `load-${this.sender}`, token })
    socket.on('connect', () => socket.write(`${hello}\n`))
    socket.on('data', (bytes) => this.#receive(socket, bytes))
  }

  #receive(socket: net.Socket, bytes: Buffer): void {
    this.#text += bytes
    const lines = this.#text.split('\n')
    this.#text = lines.pop()!
    for (const line of lines) {
      const answer = JSON.parse(line)
      if (answer.ack !== undefined) this.acked = Math.max(this.acked, answer.ack)
      else if (answer.welcome !== undefined) {
        if (answer.seq < this.acked) this.errors.push(`welcome ${answer.seq} after ack ${this.acked}`)
        this.#socket = socket
        this.sent = answer.seq
        this.acked = Math.max(this.acked, answer.seq)
        this.welcomes += 1
      } else this.errors.push(line)
    }
  }

  /** Sends up to `count` more messages. */
  send(count: number): void {
    if (this.#socket === null) return
    const to = Math.min(this.#total, this.sent + count)
    let text = ''
    while (this.sent < to) {
      this.sent += 1
      const message = loadMessage(this.#startMs, this.sender, this.sent)
      this.highest = Math.max(this.highest, this.sent)
      text += `${toLine(host, hostMessage({ ...message, seq: this.sent }))}\n`
    }
    if (text !== '') this.#socket.write(text)
  }

  close(): void {
    this.#socket?.destroy()
  }
}
