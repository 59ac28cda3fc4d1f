import type { StoredBlock } from '../stored-block.ts'

/** Bytes kept in memory behind the end of the log: some tenths of a second of the heaviest load. */
const TAIL_BYTES_MAX = 16 << 20

/** The newest durable blocks, so that a reader close behind the end reads no disk. */
export class Tail {
  #blocks: StoredBlock[] = []
  #bytes = 0

  push(block: StoredBlock): void {
    this.#blocks.push(block)
    this.#bytes += block.payload.length
    // Dropped by halves: one by one would move the rest each time.
    if (this.#bytes > TAIL_BYTES_MAX) this.#drop()
  }

  #drop(): void {
    let dropped = 0
    let i = 0
    while (i < this.#blocks.length - 1 && this.#bytes - dropped > TAIL_BYTES_MAX / 2) {
      dropped += this.#blocks[i]!.payload.length
      i++
    }
    this.#blocks = this.#blocks.slice(i)
    this.#bytes -= dropped
  }

  /** The blocks after `after`, at most `max`; null when that is further back than they reach. */
  after(after: number, max: number): StoredBlock[] | null {
    const first = this.#blocks[0]
    if (first === undefined || after + 1 < first.offset) return null
    const from = after + 1 - first.offset
    return this.#blocks.slice(from, from + max)
  }
}
