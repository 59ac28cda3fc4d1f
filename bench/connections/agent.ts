import net from 'node:net'
import { FIRST_SEQ } from '../ingest/lines.ts'
import { BATCH_MAX, type Messages } from './messages.ts'

/** Messages sent and not acknowledged: what a `tidemark agent` allows itself. */
const WINDOW_MAX = 1_000
const RECONNECT_MS = 500

/** What an agent tells its fleet. */
export interface Watcher {
  /** It may send. */
  welcomed(): void
  /** Everything made so far is acknowledged. */
  caughtUp(): void
  /** A message that waited for nothing else, from being made to its acknowledgement. */
  acknowledged(ms: number): void
  /** It lost its connection, or got none. */
  lost(): void
}

/**
 * One numbered agent of the fleet: makes messages, sends in order what is not acknowledged, connects again when cut. Its
 * spool is a count, since every message can be rendered from its number. Acknowledgements count messages, or bytes where
 * nobody looks at them.
 */
export class Agent {
  readonly #number: number
  readonly #id: string
  readonly #port: number
  readonly #bytesAcked: boolean
  readonly #messages: Messages
  readonly #watcher: Watcher
  #socket: net.Socket | null = null
  #welcome = false
  #made = 0
  #sent = 0
  #acked = 0
  /** Acknowledged before this connection. */
  #ackedBefore = 0
  /** When the messages behind `acked` were made, while they are made one by one. */
  #madeMs: number[] = []
  #text = ''

  constructor(
    number: number,
    { port, acks }: { readonly port: number; readonly acks: 'messages' | 'bytes' },
    messages: Messages,
    watcher: Watcher,
  ) {
    this.#number = number
    this.#id = `fleet-${process.pid}-${number}`
    this.#port = port
    this.#bytesAcked = acks === 'bytes'
    this.#messages = messages
    this.#watcher = watcher
  }

  get acked(): number {
    return this.#acked
  }

  connect(): void {
    const socket = net.connect({ host: '127.0.0.1', port: this.#port, noDelay: true })
    socket.setEncoding('latin1')
    this.#socket = socket
    this.#welcome = false
    this.#text = ''
    if (this.#bytesAcked) socket.once('connect', () => this.#welcomed(this.#acked))
    else socket.write(`{"hello":1,"agent":"${this.#id}"}\n`)
    socket.on('data', (text) => this.#read(String(text)))
    socket.on('drain', () => this.#send())
    // 'close' follows every error.
    socket.on('error', () => {})
    socket.on('close', () => {
      if (this.#socket !== socket) return
      this.#watcher.lost()
      setTimeout(() => this.connect(), RECONNECT_MS)
    })
  }

  /** Breaks the connection without a word. */
  cut(): void {
    const socket = this.#socket
    this.#socket = null
    socket?.resetAndDestroy()
  }

  /** One message is made now. */
  make(): void {
    this.#made += 1
    this.#madeMs.push(performance.now())
    this.#send()
  }

  /** So many messages were made while it was cut off. */
  spool(messages: number): void {
    this.#made += messages
    this.#madeMs = []
  }

  #send(): void {
    if (!this.#welcome) return
    for (;;) {
      const room = WINDOW_MAX - (this.#sent - this.#acked)
      const count = Math.min(BATCH_MAX, room, this.#made - this.#sent)
      if (count <= 0 || this.#socket!.writableNeedDrain) return
      this.#socket!.write(this.#messages.of(this.#number, this.#sent + 1, count))
      this.#sent += count
    }
  }

  #read(text: string): void {
    this.#text += text
    const lines = this.#text.split('\n')
    this.#text = lines.pop()!
    for (const line of lines) {
      const { welcome, seq, ack, error } = JSON.parse(line) as {
        [name in 'welcome' | 'seq' | 'ack']?: number
      } & { error?: object }
      if (error !== undefined) throw new Error(line)
      if (welcome !== undefined) this.#welcomed(Math.max(0, seq! - FIRST_SEQ))
      else if (this.#bytesAcked)
        this.#settled(this.#ackedBefore + Math.floor(ack! / this.#messages.lineBytes))
      else this.#settled(ack! - FIRST_SEQ)
    }
  }

  #welcomed(acked: number): void {
    this.#settled(acked)
    this.#ackedBefore = acked
    this.#sent = acked
    this.#welcome = true
    this.#watcher.welcomed()
    this.#send()
  }

  #settled(acked: number): void {
    const newly = acked - this.#acked
    this.#acked = acked
    const nowMs = performance.now()
    for (const madeMs of this.#madeMs.splice(0, newly)) this.#watcher.acknowledged(nowMs - madeMs)
    if (newly > 0 && acked === this.#made) this.#watcher.caughtUp()
    this.#send()
  }
}
