import net from 'node:net'
import { type Percentiles, percentiles } from '../measure.ts'
import { FIRST_SEQ, LINES_PER_WRITE, Lines } from './lines.ts'

/**
 * The other side of the ingest benchmark, a process of its own: connections that send numbered messages as fast as they are
 * acknowledged, or at a rate, for so long; then it tells its parent what came of it.
 */
export interface SenderOptions {
  readonly port: number
  readonly connections: number
  readonly seconds: number
  /** Messages a second in all; 0 for as many as are taken. */
  readonly rate: number
  /** What an acknowledgement counts: messages, or bytes where nobody looks at them. */
  readonly acks: 'messages' | 'bytes'
  /** The dataset of the lines; absent: the usual one. */
  readonly dataset?: string
  /** Other decimals in every line. */
  readonly varied?: boolean
  /** Tells the parent every so many seconds what came of them. */
  readonly sliceSeconds?: number
}

export interface Sent {
  readonly acknowledged: number
  readonly seconds: number
  /** Messages acknowledged in each second. */
  readonly perSecond: readonly number[]
  /** From handing over a write to the acknowledgement of its last message. */
  readonly latencyMs: Percentiles
}

/** What came of `sliceSeconds`. */
export interface Slice {
  readonly slice: { readonly acknowledged: number; readonly latencyMs: Percentiles }
}

/** Messages of one connection that wait to be acknowledged. */
const WINDOW = 8_000
/** Pauses between writes at a fixed rate. */
const PACE_MS = 5

class Sender {
  readonly socket: net.Socket
  readonly #lines: Lines
  readonly #bytesAcked: boolean
  readonly #latencies: number[]
  sent = 0
  acked = 0
  /** Writes that wait: up to which message, and when they were handed over. */
  readonly #waiting: { upTo: number; atMs: number }[] = []
  #text = ''

  constructor(connection: number, { port, acks, varied, dataset }: SenderOptions, latencies: number[]) {
    this.#lines = new Lines(connection, varied)
    this.#bytesAcked = acks === 'bytes'
    this.#latencies = latencies
    this.socket = net.connect({ host: '127.0.0.1', port, noDelay: true })
    this.socket.setEncoding('latin1')
    const agent = `bench-${process.pid}-${connection}`
    if (!this.#bytesAcked) this.socket.write(`${JSON.stringify({ hello: 1, agent, dataset })}\n`)
  }

  get hasRoom(): boolean {
    return this.sent - this.acked <= WINDOW - LINES_PER_WRITE && !this.socket.writableNeedDrain
  }

  write(): void {
    this.socket.write(this.#lines.next(FIRST_SEQ + this.sent, Date.now()))
    this.sent += LINES_PER_WRITE
    this.#waiting.push({ upTo: this.sent, atMs: performance.now() })
  }

  /** Reads the newest acknowledgement of `text`. */
  read(text: string): void {
    this.#text += text
    const end = this.#text.lastIndexOf('\n')
    if (end < 0) return
    const last = this.#text.slice(this.#text.lastIndexOf('\n', end - 1) + 1, end)
    this.#text = this.#text.slice(end + 1)
    const { ack, error } = JSON.parse(last) as { ack?: number; error?: object }
    if (error !== undefined) throw new Error(last)
    if (ack === undefined) return
    this.acked = this.#bytesAcked ? Math.floor(ack / this.#lines.lineBytes) : ack - FIRST_SEQ + 1
    const nowMs = performance.now()
    while (this.#waiting.length > 0 && this.#waiting[0]!.upTo <= this.acked)
      this.#latencies.push(nowMs - this.#waiting.shift()!.atMs)
  }
}

async function send(options: SenderOptions): Promise<Sent> {
  const { connections, seconds, rate, sliceSeconds } = options
  const latencies: number[] = []
  const perSecond: number[] = []
  const senders = Array.from({ length: connections }, (_, i) => new Sender(i, options, latencies))
  const startedMs = performance.now()
  const acknowledged = () => senders.reduce((sum, { acked }) => sum + acked, 0)
  let before = 0
  const everySecond = setInterval(() => {
    perSecond.push(acknowledged() - before)
    before = acknowledged()
  }, 1_000)
  let slices = 0
  let sliced = { acknowledged: 0, latencies: 0 }
  const tellSlice = () => {
    const now = { acknowledged: acknowledged(), latencies: latencies.length }
    const latencyMs = percentiles(latencies.slice(sliced.latencies))
    process.send!({
      slice: { acknowledged: now.acknowledged - sliced.acknowledged, latencyMs },
    } satisfies Slice)
    sliced = now
    slices += 1
  }
  const everySlice = sliceSeconds === undefined ? null : setInterval(tellSlice, sliceSeconds * 1_000)

  const fill = (sender: Sender) => {
    if (rate > 0) return
    while (sender.hasRoom) sender.write()
  }
  for (const sender of senders) {
    sender.socket.on('data', (text) => {
      sender.read(String(text))
      fill(sender)
    })
    sender.socket.on('drain', () => fill(sender))
    sender.socket.once('connect', () => fill(sender))
  }
  let turn = 0
  const pace = setInterval(() => {
    if (rate === 0) return
    const due = ((performance.now() - startedMs) / 1_000) * rate
    const sent = () => senders.reduce((sum, one) => sum + one.sent, 0)
    for (let tried = 0; sent() + LINES_PER_WRITE <= due && tried < senders.length; ) {
      const sender = senders[turn++ % senders.length]!
      tried = sender.hasRoom ? 0 : tried + 1
      if (sender.hasRoom) sender.write()
    }
  }, PACE_MS)

  await new Promise((resolve) => setTimeout(resolve, seconds * 1_000))
  clearInterval(everySecond)
  clearInterval(pace)
  if (everySlice !== null) clearInterval(everySlice)
  // The last one ends at the same moment as everything.
  if (sliceSeconds !== undefined && slices < Math.round(seconds / sliceSeconds)) tellSlice()
  const sent: Sent = {
    acknowledged: acknowledged(),
    seconds: (performance.now() - startedMs) / 1_000,
    perSecond,
    latencyMs: percentiles(latencies),
  }
  for (const { socket } of senders) socket.destroy()
  return sent
}

process.send!(await send(JSON.parse(process.argv[2]!) as SenderOptions))
process.disconnect()
