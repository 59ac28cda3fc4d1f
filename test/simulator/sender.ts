import { host } from '../../schemas/datasets/host.ts'
import { type Message, toLine } from '../../schemas/message.ts'
import type { Socket } from '../../schemas/ports/net.ts'
import type { SimNet } from '../sim/net.ts'
import { REFUSED_SERVICE } from './bad-lines.ts'

/** Answers that say nothing against the message: told to connect again is not refused. */
export const HARMLESS = ['E_IDLE', 'E_AGENT_TWICE', 'E_CONNECTIONS', 'E_CLOCK']

interface Answer {
  readonly ack?: number
  readonly welcome?: number
  readonly seq?: number
  readonly error?: { readonly seq?: number; readonly code: string }
}

/**
 * A numbered sender that keeps every message it ever made, so that it can resend any of them: what an agent with a spool
 * does, and worse.
 */
export class Sender {
  readonly agent: string
  readonly sent: Message[] = []
  /** How each is written: the same way each time. */
  readonly #written: string[] = []
  /** Highest seq that any collector acknowledged, or called durable in a welcome. */
  acked = 0
  /** The last welcome's seq; null until the collector on this connection said it. */
  welcomed: number | null = null
  /** Asked with each welcome: above which number it sends, strictly in order; null: nothing by itself. */
  from: ((welcomed: number) => number) | null = null
  #sentTo = 0
  /** Refusals that it was told. */
  errors = 0
  /** Numbers of messages that must be refused. */
  readonly bad = new Set<number>()
  /** Codes of other refused messages by seq. */
  readonly refused = new Map<number, string>()
  #socket: Socket | null = null
  #text = ''

  constructor(agent: string) {
    this.agent = agent
  }

  get connected(): boolean {
    return this.#socket !== null
  }

  async connect(net: SimNet): Promise<void> {
    this.disconnect()
    const socket = await net.connect('127.0.0.1', 7070).catch(() => null)
    if (socket === null) return
    this.#socket = socket
    this.#text = ''
    const gone = () => {
      if (this.#socket !== socket) return
      this.#socket = null
      this.welcomed = null
    }
    socket.handle({
      data: (bytes) => {
        if (this.#socket === socket) this.#receive(bytes)
      },
      end: () => {
        socket.end()
        gone()
      },
      drain: () => {},
      close: gone,
    })
    socket.write(`${JSON.stringify({ hello: 1, agent: this.agent })}\n`)
  }

  disconnect(): void {
    this.#socket?.destroy()
    this.#socket = null
    this.welcomed = null
  }

  /** The other side hears nothing: this one forgets the connection without closing it. */
  abandon(): void {
    this.#socket = null
    this.welcomed = null
  }

  /** Adds a message, which `write` makes a line; its seq follows the last. */
  make(
    message: Omit<Message, 'agent' | 'seq'>,
    write: (message: Message) => string = (made) => toLine(host, made),
  ): Message {
    const made = { ...message, agent: this.agent, seq: this.sent.length + 1 }
    this.sent.push(made)
    this.#written.push(write(made))
    return made
  }

  /** Adds a message whose line must be refused. */
  makeBad(write: (seq: number) => string): void {
    const seq = this.sent.length + 1
    this.bad.add(seq)
    this.sent.push({ names: [REFUSED_SERVICE, ''], timeMs: 0, gauges: [], agent: this.agent, seq })
    this.#written.push(write(seq))
  }

  /** Sends the messages above `seq`, acknowledged ones included. */
  sendAfter(seq: number): void {
    for (const line of this.#written.slice(seq)) this.#socket?.write(`${line}\n`)
    this.#sentTo = Math.max(seq, this.sent.length)
  }

  /** Sends what this connection was not sent yet, when it was welcomed. */
  sendNew(): void {
    if (this.connected && this.welcomed !== null) this.sendAfter(this.#sentTo)
  }

  #receive(bytes: Uint8Array): void {
    this.#text += Buffer.from(bytes).toString('utf8')
    const lines = this.#text.split('\n')
    this.#text = lines.pop()!
    for (const line of lines) {
      const { ack, welcome, seq, error } = JSON.parse(line) as Answer
      if (ack !== undefined) this.acked = Math.max(this.acked, ack)
      if (welcome !== undefined) {
        this.welcomed = seq!
        this.acked = Math.max(this.acked, seq!)
        if (this.from !== null) this.sendAfter(this.from(seq!))
      }
      if (error === undefined || HARMLESS.includes(error.code)) continue
      this.errors += 1
      if (!this.bad.has(error.seq ?? 0)) this.refused.set(error.seq ?? 0, error.code)
    }
  }
}
