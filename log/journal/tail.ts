import type { Block } from '../../schemas/block.ts'

/** Messages kept in memory behind the end of the log: some seconds of a heavy load, at about 100 bytes each. */
const TAIL_MESSAGES_MAX = 100_000

/** The newest durable blocks, so that who follows closely reads no disk and decodes nothing. */
export class Tail {
  #blocks: Block[] = []
  #messages = 0

  push(block: Block): void {
    this.#blocks.push(block)
    this.#messages += block.messages.length
    // Dropped by halves: one by one would move the rest each time.
    if (this.#messages > TAIL_MESSAGES_MAX) this.#drop()
  }

  #drop(): void {
    let dropped = 0
    let i = 0
    while (i < this.#blocks.length - 1 && this.#messages - dropped > TAIL_MESSAGES_MAX / 2) {
      dropped += this.#blocks[i]!.messages.length
      i++
    }
    this.#blocks = this.#blocks.slice(i)
    this.#messages -= dropped
  }

  /** The blocks after `after`, at most `max`; null when that is further back than they reach. */
  after(after: number, max: number): Block[] | null {
    const first = this.#blocks[0]
    if (first === undefined || after + 1 < first.offset) return null
    const from = after + 1 - first.offset
    return this.#blocks.slice(from, from + max)
  }
}
