import type { ErrorCode } from '../../schemas/errors.ts'
import type { Socket } from '../../schemas/ports/net.ts'
import type { Receipt } from '../intake/sender.ts'

/** What an error line says. */
export interface WireError {
  readonly line: number
  readonly seq?: number
  readonly code: ErrorCode
  readonly field?: string
  readonly message: string
}

/**
 * What a connection delivered, as receipts, and what it is told of it. Receipts settle in any order; acknowledged is up to
 * where all have, once for all that settle in one turn.
 */
export class Replies {
  readonly #socket: Socket
  readonly #told: () => void
  #receipts: Receipt[] = []
  #last: Receipt | null = null
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

  /** `told` is called after each time that receipts have settled. */
  constructor(socket: Socket, told: () => void) {
    this.#socket = socket
    this.#told = told
  }

  get areDone(): boolean {
    return this.#receipts.length === 0
  }

  /** Resolves when no line waits and the peer was told so, or when the connection is gone. */
  done(): Promise<void> {
    return new Promise((resolve) => this.#whenDone.push(resolve))
  }

  /** One line more, which settles with `receipt`: a new one, or the last. */
  add(receipt: Receipt): void {
    this.waiting += 1
    if (receipt === this.#last) return
    this.#receipts.push(receipt)
    this.#last = receipt
  }

  /** Receipts have settled: acknowledges them in a moment. */
  settle(): void {
    if (this.#ackDue) return
    this.#ackDue = true
    queueMicrotask(() => this.#ack())
  }

  #ack(): void {
    this.#ackDue = false
    const isNumberSettled = this.#advance()
    const ack = this.#numbered ? this.#settledSeq : this.#settledLines
    // A sender that did not go by the welcome waits for the answer to its repeats, where no later one will come.
    if (ack > this.#acked || (this.#numbered && isNumberSettled && this.areDone)) {
      this.#acked = ack
      this.#send({ ack })
    }
    if (this.areDone) this.#callDone()
    this.#told()
  }

  /** Goes on to the first receipt that still waits. Returns whether a numbered message has settled. */
  #advance(): boolean {
    let n = 0
    let isNumberSettled = false
    for (; n < this.#receipts.length && this.#receipts[n]!.settled; n++) {
      const { messages, seq } = this.#receipts[n]!
      this.#settledSeq = Math.max(this.#settledSeq, seq)
      isNumberSettled ||= seq > 0
      this.#settledLines += messages
      this.waiting -= messages
    }
    this.#receipts.splice(0, n)
    return isNumberSettled
  }

  #callDone(): void {
    for (const done of this.#whenDone.splice(0)) done()
  }

  /** The peer is a numbered sender, of which everything up to `seq` is durable. */
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

  /** The connection is gone: nothing waits for it any more. */
  gone(): void {
    this.close()
    this.#callDone()
  }
}
