import type { OpenBlock } from './blocks.ts'

/** Consecutive lines that settle together: those of one block, or one that is refused or a repeat. */
export interface Entry {
  readonly block: OpenBlock | null
  lines: number
  /** The highest among them; 0 without numbers. */
  seq: number
  settled: boolean
}

/** What a connection delivered and is not told of yet. Lines settle in any order; told is up to where all have. */
export class Settling {
  #entries: Entry[] = []
  #last: Entry | null = null
  /** Lines that wait. */
  waiting = 0
  /** Lines settled so far, and the highest seq among them. */
  settledLines = 0
  settledSeq = 0

  get isDone(): boolean {
    return this.#entries.length === 0
  }

  /** One line more, which waits for its own sake. */
  enter(seq: number | null, block: OpenBlock | null): Entry {
    const entry = { block, lines: 1, seq: seq ?? 0, settled: false }
    this.#entries.push(entry)
    this.#last = entry
    this.waiting += 1
    return entry
  }

  /** One line more of the block that the line before is in; false when it is not. */
  extend(block: OpenBlock, seq: number): boolean {
    const last = this.#last
    if (last === null || last.block !== block) return false
    last.lines += 1
    last.seq = seq
    this.waiting += 1
    return true
  }

  /** Goes on to the first line that still waits. */
  advance(): void {
    let n = 0
    for (; n < this.#entries.length && this.#entries[n]!.settled; n++) {
      const { lines, seq } = this.#entries[n]!
      this.settledSeq = Math.max(this.settledSeq, seq)
      this.settledLines += lines
      this.waiting -= lines
    }
    this.#entries.splice(0, n)
  }
}
