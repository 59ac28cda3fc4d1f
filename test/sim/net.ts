import { TidemarkError } from '../../schemas/errors.ts'
import type { Clock, Random } from '../../schemas/ports/clock.ts'
import type { Listener, Net, Socket, SocketHandlers } from '../../schemas/ports/net.ts'
import { simRandom } from './random.ts'

/** Bytes of the largest chunk delivered, as of a socket of the system. */
export const CHUNK_BYTES_MAX = 65_536

/** A socket as a client has it, with what can be seen of the other side. */
export interface SimSocket extends Socket {
  /** Bytes that the peer was given. */
  readonly takenBytes: number
  /** Bytes that the peer sent and that were not delivered here. */
  readonly unreadBytes: number
}

/**
 * TCP in memory: bytes arrive in order, in chunks that break anywhere, in a later turn of the event loop or, where a
 * delay is set, up to so many milliseconds later.
 */
export class SimNet implements Net {
  /** What takes its time, each with a timer of the clock. */
  underWay = 0
  /** Longest delay of what is sent from now on; needs a clock. */
  delayMs = 0
  readonly #random: Random
  readonly #clock: Clock | null
  readonly #listeners = new Map<string, (socket: Socket) => void>()
  readonly #ends = new Set<End>()
  #ports = 40_000

  constructor(seed: number, clock: Clock | null = null) {
    this.#random = simRandom(seed)
    this.#clock = clock
  }

  async listen(host: string, port: number, accept: (socket: Socket) => void): Promise<Listener> {
    const taken = port === 0 ? this.#ports++ : port
    const name = `${host}:${taken}`
    if (this.#listeners.has(name)) throw new TidemarkError('E_LISTEN', `cannot listen on ${name}: in use`)
    this.#listeners.set(name, accept)
    return {
      host,
      port: taken,
      close: async () => {
        if (this.#listeners.get(name) === accept) this.#listeners.delete(name)
      },
    }
  }

  async connect(host: string, port: number): Promise<SimSocket> {
    const accept = this.#listeners.get(`${host}:${port}`)
    if (accept === undefined)
      throw new TidemarkError('E_CONNECT', `cannot connect to ${host}:${port}: refused`)
    const later = (fn: () => void) => this.#later(fn)
    const gone = (end: End) => void this.#ends.delete(end)
    const client = new End('client', { random: this.#random, later, gone })
    const server = new End('server', { random: this.#random, later, gone })
    client.peer = server
    server.peer = client
    this.#ends.add(client)
    this.#ends.add(server)
    accept(server)
    return client
  }

  /** Ends that are open, of both sides. */
  get open(): number {
    return this.#ends.size
  }

  /** Connections that a listening process holds. */
  get served(): number {
    let count = 0
    for (const { side } of this.#ends) if (side === 'server') count += 1
    return count
  }

  /** One connection breaks, at both sides or so that only the client notices; false when there is none. */
  cut(pick: number, kind: 'both' | 'client'): boolean {
    const clients = [...this.#ends].filter(({ side }) => side === 'client')
    const client = clients[Math.floor(pick * clients.length)]
    if (client === undefined) return false
    client.lose('connection reset')
    if (kind === 'both') client.peer.lose('connection reset')
    return true
  }

  /** Of one connection nothing arrives for `ms`. */
  stall(pick: number, ms: number): void {
    const ends = [...this.#ends]
    const end = ends[Math.floor(pick * ends.length)]
    if (end === undefined || this.#clock === null) return
    end.hold(true)
    this.#clock.after(ms, () => end.hold(false))
  }

  #later(fn: () => void): void {
    if (this.delayMs > 0 && this.#clock !== null) {
      this.underWay += 1
      this.#clock.after(this.#random.float() * this.delayMs, () => {
        this.underWay -= 1
        fn()
      })
    } else setImmediate(fn)
  }

  /** The listening process died: its side hears nothing more, the other that the connection is lost. */
  reset(): void {
    this.#listeners.clear()
    for (const end of [...this.#ends]) {
      if (end.side === 'server') end.silence()
      else end.lose('connection reset')
    }
  }
}

interface EndDeps {
  readonly random: Random
  /** Calls back in a later turn, or after the delay. */
  later(fn: () => void): void
  gone(end: End): void
}

class End implements SimSocket {
  readonly remoteAddress = '127.0.0.1'
  readonly side: 'client' | 'server'
  peer!: End
  readonly #deps: EndDeps
  #handlers: SocketHandlers | null = null
  /** What has arrived and is not delivered: bytes, then null for the end of the peer's side. */
  #arrived: (Uint8Array | null)[] = []
  #arrivedBytes = 0
  #deliveredBytes = 0
  #paused = false
  #ended = false
  #peerEnded = false
  #closed = false
  #turn = false
  #held = false

  constructor(side: 'client' | 'server', deps: EndDeps) {
    this.side = side
    this.#deps = deps
  }

  handle(handlers: SocketHandlers): void {
    this.#handlers = handlers
    this.#schedule()
  }

  write(bytes: Uint8Array | string): boolean {
    if (this.#ended || this.#closed) return true
    let rest: Uint8Array = typeof bytes === 'string' ? Buffer.from(bytes) : Buffer.from(bytes)
    while (rest.length > 0) {
      const { random } = this.#deps
      const all = Math.min(rest.length, CHUNK_BYTES_MAX)
      const n = random.float() < 0.7 ? all : 1 + Math.floor(random.float() * all)
      this.peer.#arrived.push(rest.subarray(0, n))
      this.peer.#arrivedBytes += n
      rest = rest.subarray(n)
    }
    this.peer.#schedule()
    return this.pendingBytes() < 64 << 10
  }

  pendingBytes(): number {
    return this.peer.#arrivedBytes
  }

  get takenBytes(): number {
    return this.peer.#deliveredBytes
  }

  get unreadBytes(): number {
    return this.#arrivedBytes
  }

  end(): void {
    if (this.#ended || this.#closed) return
    this.#ended = true
    this.peer.#arrived.push(null)
    this.peer.#schedule()
    this.#closeIfDone()
  }

  destroy(): void {
    if (this.#closed) return
    this.#close('')
    this.peer.lose('connection reset')
  }

  pause(): void {
    this.#paused = true
  }

  resume(): void {
    this.#paused = false
    this.#schedule()
  }

  /** The connection is gone; what had arrived and was not delivered is gone too. */
  lose(reason: string): void {
    this.#drop()
    setImmediate(() => this.#close(reason))
  }

  /** The process at this end is dead: nobody is told anything. */
  silence(): void {
    this.#closed = true
    this.#deps.gone(this)
    this.#handlers = null
    this.#drop()
  }

  #drop(): void {
    this.#arrived = []
    this.#arrivedBytes = 0
  }

  /** While held, nothing is delivered here. */
  hold(held: boolean): void {
    this.#held = held
    if (!held) this.#schedule()
  }

  #schedule(): void {
    if (this.#turn || this.#closed) return
    this.#turn = true
    this.#deps.later(() => {
      this.#turn = false
      this.#deliver()
    })
  }

  get #stopped(): boolean {
    return this.#paused || this.#held
  }

  #deliver(): void {
    while (this.#handlers !== null && !this.#closed && !this.#stopped && this.#arrived.length > 0) {
      const chunk = this.#arrived.shift()!
      if (chunk !== null) {
        this.#arrivedBytes -= chunk.length
        this.#deliveredBytes += chunk.length
        this.#handlers.data(chunk)
        // Nobody may look at it later.
        chunk.fill(0xff)
      } else {
        this.#peerEnded = true
        this.#handlers.end()
        this.#closeIfDone()
      }
    }
    if (this.#arrived.length === 0) this.peer.#drained()
  }

  #drained(): void {
    if (!this.#closed) this.#handlers?.drain()
  }

  #closeIfDone(): void {
    if (!this.#ended || !this.#peerEnded) return
    this.#close('')
  }

  #close(reason: string): void {
    if (this.#closed) return
    this.#closed = true
    this.#deps.gone(this)
    this.#handlers?.close(reason)
  }
}
