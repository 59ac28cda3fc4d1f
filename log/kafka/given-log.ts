import type { Position } from '../../schemas/position.ts'
import { BlockDecoder } from '../block-decoder.ts'
import type { LogReader, LogSlice, LogState } from '../port.ts'
import { blocksOf, type RecordBlocks, readable } from './blocks-of.ts'
import type { FetchedRecord } from './client.ts'

/**
 * One partition of the log up to where another program has read it, which gives what it read. Where a reader must begin before
 * that, as under a new definition, the rest is read from the log itself: what is given need not be all.
 */
export class GivenLog implements LogReader {
  readonly repeats = true
  readonly #log: LogReader
  readonly #partition: number
  readonly #decoder = new BlockDecoder()
  readonly #listeners = new Set<() => void>()
  #given: RecordBlocks = { blocks: [], gaps: [], toMs: 0 }
  /** Before the first record given. */
  #from = -1
  #end = -1
  /** Blocks that were read from the log itself. */
  asked = 0

  constructor(log: LogReader, partition: number) {
    this.#log = log
    this.#partition = partition
  }

  /**
   * The next records, in their order, at least one; those of before are forgotten, and asked for if need be. Throws `E_NEWER`: of
   * what is given all is to be folded.
   */
  give(records: readonly FetchedRecord[]): void {
    for (const record of records) readable(this.#partition, [record])
    this.#given = blocksOf(this.#decoder, this.#partition, records, this.#given.toMs)
    this.#from = records[0]!.offset - 1
    this.#end = records.at(-1)!.offset
    for (const fn of this.#listeners) fn()
  }

  partitions(): readonly number[] {
    return [this.#partition]
  }

  end(): number {
    return this.#end
  }

  start(partition: number): number {
    return this.#log.start(partition)
  }

  async read(partition: number, after: number, blocksMax: number): Promise<LogSlice> {
    if (after >= this.#end) return { blocks: [], gaps: [], to: after, toMs: 0 }
    return after < this.#from ? this.#ask(partition, after, blocksMax) : this.#take(after, blocksMax)
  }

  #take(after: number, blocksMax: number): LogSlice {
    const rest = this.#given.blocks.filter(({ offset }) => offset > after)
    const blocks = rest.slice(0, blocksMax)
    const last = blocks.length < rest.length ? blocks.at(-1)! : null
    const to = last?.offset ?? this.#end
    const gaps = this.#given.gaps.filter((gap) => gap.to > after && gap.to <= to)
    return { blocks, gaps, to, toMs: last?.logTimeMs ?? this.#given.toMs }
  }

  async #ask(partition: number, after: number, blocksMax: number): Promise<LogSlice> {
    const slice = await this.#log.read(partition, after, blocksMax)
    const blocks = slice.blocks.filter(({ offset }) => offset <= this.#from)
    this.asked += blocks.length
    if (slice.to <= this.#from) return slice
    const gaps = slice.gaps.filter((gap) => gap.to <= this.#from)
    return { blocks, gaps, to: this.#from, toMs: blocks.at(-1)?.logTimeMs ?? slice.toMs }
  }

  covered(): void {}

  async trim(_position: Position): Promise<void> {}

  onAppend(fn: () => void): () => void {
    this.#listeners.add(fn)
    return () => void this.#listeners.delete(fn)
  }

  state(): LogState {
    return this.#log.state()
  }

  /** The log itself stays open. */
  async close(): Promise<void> {}
}
