import type { ErrorCode } from '../../schemas/errors.ts'
import type { Socket } from '../../schemas/ports/net.ts'
import type { OpenBlock } from '../intake/blocks.ts'

/** What repeats wait for in place of a block: that what came before, somewhere, is durable. */
export const REPEATS = Symbol('repeats')

/** Consecutive lines that settle together: those of one block, repeats, or one that is refused. */
export interface Entry {
  readonly block: OpenBlock | typeof REPEATS | null
  lines: number
  /** The highest among them; 0 without numbers. */
  seq: number
  settled: boolean
}

/** What an error line says. */
export interface WireError {
  readonly line: number
  readonly seq?: number
  readonly code: ErrorCode
  readonly field?: string
  readonly message: string
}

/**
 * What a connection delivered and what it is told of it: lines settle in any order; acknowledged is up to where all have,
 * once for all that settle in one turn.
 */
export class Answers {
  readonly #socket: Socket
  readonly #told: () => void
  #entries: Entry[] = []
  #last: Entry | null = null
  /** Lines that wait. */
  waiting = 0
  /** Lines settled so far, and the highest seq among them. */
  #settledLines = 0
  #settledSeq = 0
  /** Whether acknowledgements are numbers of messages, or of lines. */
  #numbered = false
  #acked = 0
  #ackDue = false
  #closed = false
  #whenDone: (() => void)[] = []

  /** `told` is called whenever lines have settled. */
  constructor(socket: Socket, told: () => void) {
    this.#socket = socket
    this.#told = told
  }

  get areDone(): boolean {
    return this.#entries.length === 0
  }

  /** Resolves when no line waits and the peer was told so, or when the connection is gone. */
  done(): Promise<void> {
    return new Promise((resolve) => this.#whenDone.push(resolve))
  }

  /** One line more, which waits for its own sake. */
  enter(seq: number | null, block: Entry['block']): Entry {
    const entry: Entry = { block, lines: 1, seq: seq ?? 0, settled: false }
    this.#entries.push(entry)
    this.#last = entry
    this.waiting += 1
    return entry
  }

  /** One line more of what the line before waits for; false when that is something else, or nothing any more. */
  extend(block: OpenBlock | typeof REPEATS, seq: number): boolean {
    const last = this.#last
    if (last === null || last.block !== block || last.settled) return false
    last.lines += 1
    last.seq = Math.max(last.seq, seq)
    this.waiting += 1
    return true
  }

  settle(entry: Entry): void {
    entry.settled = true
    if (this.#ackDue) return
    this.#ackDue = true
    queueMicrotask(() => this.#ack())
  }

  #ack(): void {
    this.#ackDue = false
    this.#advance()
    const ack = this.#numbered ? this.#settledSeq : this.#settledLines
    if (ack > this.#acked) {
      this.#acked = ack
      this.#send({ ack })
    }
    if (this.areDone) this.#callDone()
    this.#told()
  }

  /** Goes on to the first line that still waits. */
  #advance(): void {
    let n = 0
    for (; n < this.#entries.length && this.#entries[n]!.settled; n++) {
      const { lines, seq } = this.#entries[n]!
      this.#settledSeq = Math.max(this.#settledSeq, seq)
      this.#settledLines += lines
      this.waiting -= lines
    }
    this.#entries.splice(0, n)
  }

  #callDone(): void {
    for (const done of this.#whenDone.splice(0)) done()
  }

  /** The peer is a numbered sender, of whom everything up to `seq` is durable. */
  welcome(seq: number): void {
    this.#numbered = true
    this.#settledSeq = seq
    this.#acked = seq
    this.#send({ welcome: 1, seq })
  }

  error(error: WireError): void {
    this.#send({ error })
  }

  #send(answer: object): void {
    if (!this.#closed) this.#socket.write(`${JSON.stringify(answer)}\n`)
  }

  /** Nothing more is told. */
  close(): void {
    this.#closed = true
  }

  /** The connection is gone: nobody waits any more. */
  gone(): void {
    this.close()
    this.#callDone()
  }
}
