import type { Message } from '../schemas/message.ts'

/** A message that waits for its acknowledgement. Its agent id is the sender's current one. */
export type Queued = Omit<Message, 'agent' | 'seq'> & { seq: number }

/**
 * What an agent has sampled and nobody acknowledged: strictly first in, first out, in memory, bounded. When it is full
 * the oldest go, and are counted.
 */
export class MessageQueue {
  readonly #max: number
  #queued: Queued[] = []
  #nextSeq = 1
  /** Messages given up because the queue was full. One that was on its way may have arrived all the same. */
  lost = 0

  constructor(max: number) {
    this.#max = max
  }

  get size(): number {
    return this.#queued.length
  }

  get highestSeq(): number {
    return this.#nextSeq - 1
  }

  push(message: Omit<Message, 'agent' | 'seq'>): void {
    this.#queued.push({ ...message, seq: this.#nextSeq++ })
    if (this.#queued.length <= this.#max) return
    this.#queued.shift()
    this.lost += 1
  }

  /** The messages above `seq`, at most `max`. */
  after(seq: number, max: number): Queued[] {
    const from = this.#queued.findIndex((message) => message.seq > seq)
    return from < 0 ? [] : this.#queued.slice(from, from + max)
  }

  /** Everything up to `seq` is durable. */
  settled(seq: number): void {
    const keep = this.#queued.findIndex((message) => message.seq > seq)
    this.#queued = keep < 0 ? [] : this.#queued.slice(keep)
  }

  /** Numbers what waits from 1 again, for a new id. */
  renumber(): void {
    this.#queued.forEach((message, i) => {
      message.seq = i + 1
    })
    this.#nextSeq = this.#queued.length + 1
  }
}
