import type { LogReader, LogSlice, LogState } from '../../log/port.ts'
import type { Block } from '../../schemas/block.ts'
import { TidemarkError } from '../../schemas/errors.ts'
import type { Columns } from '../../schemas/message.ts'
import type { Clock } from '../../schemas/ports/clock.ts'
import { BEGINNING, offsetIn, type Position } from '../../schemas/position.ts'

/**
 * A log of several partitions in memory, as a cluster of brokers keeps it: blocks may stand in it twice, offsets have holes, and
 * it outlives whoever reads it.
 */
export class PartitionedLog {
  readonly count: number
  readonly #clock: Clock
  readonly #blocks: Block[][]
  readonly #starts: number[]
  readonly #listeners = new Set<() => void>()

  constructor(count: number, clock: Clock) {
    this.count = count
    this.#clock = clock
    this.#blocks = Array.from({ length: count }, () => [])
    this.#starts = this.#blocks.map(() => BEGINNING)
  }

  /** Appends a block; its offset, `hole` behind where it would be. */
  append(
    partition: number,
    messages: Columns,
    { id = null, hole = 0, logTimeMs = this.#clock.nowMs() }: Appended = {},
  ) {
    const blocks = this.#blocks[partition]!
    const offset = Math.max(blocks.at(-1)?.offset ?? BEGINNING, this.#starts[partition]!) + 1 + hole
    const block: Block = { partition, offset, logTimeMs, messages, id }
    blocks.push(block)
    for (const fn of this.#listeners) fn()
    return block
  }

  end(partition: number): number {
    return this.#blocks[partition]!.at(-1)?.offset ?? this.#starts[partition]!
  }

  start(partition: number): number {
    return this.#starts[partition]!
  }

  /** The log as one process sees it. */
  reader(): LogReader {
    const state: LogState = {
      ...{ state: 'ok', reason: null, bytes: 0, segments: 0, pendingBytes: 0, uncoveredBytes: 0, gaps: [] },
    }
    return {
      repeats: true,
      partitions: () => this.#blocks.map((_, partition) => partition),
      end: (partition) => this.end(partition),
      start: (partition) => this.start(partition),
      read: async (partition, after, blocksMax) => this.#read(partition, after, blocksMax),
      covered: () => {},
      trim: async (position) => this.#trim(position),
      onAppend: (fn) => {
        this.#listeners.add(fn)
        return () => void this.#listeners.delete(fn)
      },
      state: () => state,
      close: async () => {},
    }
  }

  #read(partition: number, after: number, blocksMax: number): LogSlice {
    if (after < this.start(partition)) throw new TidemarkError('E_TRIMMED', `${after} is trimmed`)
    const blocks = this.#blocks[partition]!.filter(({ offset }) => offset > after).slice(0, blocksMax)
    const last = blocks.at(-1)
    return { blocks, gaps: [], to: last?.offset ?? after, toMs: last?.logTimeMs ?? 0 }
  }

  #trim(position: Position): void {
    for (const [partition, blocks] of this.#blocks.entries()) {
      const to = Math.min(offsetIn(position, partition), this.end(partition))
      if (to <= this.start(partition)) continue
      this.#starts[partition] = to
      this.#blocks[partition] = blocks.filter(({ offset }) => offset > to)
    }
  }
}

interface Appended {
  readonly id?: string | null
  /** Offsets left out before it. */
  readonly hole?: number
  readonly logTimeMs?: number
}
