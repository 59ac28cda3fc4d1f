import { type Message, toLine } from '../../schemas/message.ts'
import type { Socket } from '../../schemas/ports/net.ts'
import type { SimNet } from '../sim/net.ts'

/**
 * A sender that keeps every message it ever made, so that it can resend any of them: what an agent with a spool does,
 * and worse.
 */
export class Sender {
  readonly agent: string
  readonly sent: Message[] = []
  /** Highest seq that any collector acknowledged. */
  acked = 0
  welcomed = 0
  errors = 0
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
      if (this.#socket === socket) this.#socket = null
    }
    socket.handle({ data: (bytes) => this.#receive(bytes), end: gone, drain: () => {}, close: gone })
    socket.write(`${JSON.stringify({ hello: 1, agent: this.agent })}\n`)
  }

  disconnect(): void {
    this.#socket?.destroy()
    this.#socket = null
  }

  /** Adds a message; its seq follows the last. */
  make(message: Omit<Message, 'agent' | 'seq'>): void {
    this.sent.push({ ...message, agent: this.agent, seq: this.sent.length + 1 })
  }

  /** Sends the messages above `seq`, acknowledged ones included. */
  sendAfter(seq: number): void {
    for (const message of this.sent.slice(seq)) this.#socket?.write(`${toLine(message)}\n`)
  }

  #receive(bytes: Uint8Array): void {
    this.#text += Buffer.from(bytes).toString('utf8')
    const lines = this.#text.split('\n')
    this.#text = lines.pop()!
    for (const line of lines) {
      const answer = JSON.parse(line) as {
        ack?: number
        welcome?: number
        seq?: number
        error?: { code: string }
      }
      if (answer.ack !== undefined) this.acked = Math.max(this.acked, answer.ack)
      else if (answer.welcome !== undefined) this.welcomed = answer.seq!
      // Told to connect again is not refused.
      else if (!['E_IDLE', 'E_AGENT_TWICE'].includes(answer.error!.code)) this.errors += 1
    }
  }
}
