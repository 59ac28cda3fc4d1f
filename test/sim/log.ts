import type { Log, LogSlice, LogState } from '../../log/port.ts'
import type { Senders } from '../../log/senders.ts'
import type { Block } from '../../schemas/block.ts'
import { TidemarkError } from '../../schemas/errors.ts'
import { type Message, messageAt } from '../../schemas/message.ts'
import { BEGINNING, type Position } from '../../schemas/position.ts'
import { agentsOf, decodeBlock } from './blocks.ts'

/** A log in memory whose durability a test can hold back. */
export class SimLog implements Log, Senders {
  readonly blocks: Block[] = []
  /** While true, appends wait. */
  held = false
  failing = false
  pending = 0
  /** What lies at or below it was trimmed. */
  begin = BEGINNING
  #waiting: (() => void)[] = []
  readonly #partitions: readonly number[]
  readonly #next = new Map<number, number>()
  readonly #listeners = new Set<() => void>()
  readonly #seqs = new Map<string, number>()

  constructor(partitions: readonly number[] = [0]) {
    this.#partitions = partitions
  }

  partitions = () => this.#partitions

  async append(partition: number, payload: Uint8Array): Promise<number> {
    const offset = this.#next.get(partition) ?? 0
    this.#next.set(partition, offset + 1)
    if (this.held) await new Promise<void>((resolve) => this.#waiting.push(resolve))
    if (this.failing) throw new TidemarkError('E_CLOSED', 'the log is closed')
    this.blocks.push({ partition, offset, logTimeMs: 0, messages: decodeBlock(payload) })
    for (const [agent, seq] of agentsOf(payload))
      this.#seqs.set(agent, Math.max(this.#seqs.get(agent) ?? 0, seq))
    for (const fn of this.#listeners) fn()
    return offset
  }

  /** Lets everything that waits become durable. */
  release(): void {
    this.held = false
    for (const go of this.#waiting.splice(0)) go()
  }

  /** Every message, in order. */
  messages(): Message[] {
    return this.blocks.flatMap(({ messages }) =>
      Array.from({ length: messages.length }, (_, i) => messageAt(messages, i)),
    )
  }

  uncovered = 0
  uncoveredBytes = () => this.uncovered
  covered = () => {}

  /** Tells those who listen. */
  changed(): void {
    for (const fn of this.#listeners) fn()
  }

  leastMs = 0
  leastClockMs = () => this.leastMs
  pendingBytes = () => this.pending
  end = (partition: number) => this.#blocksOf(partition).length - 1
  start = () => this.begin
  highestSeq = (agent: string) => this.#seqs.get(agent) ?? 0
  async trim(_position: Position): Promise<void> {}
  async close(): Promise<void> {}

  #blocksOf(partition: number): Block[] {
    return this.blocks.filter((block) => block.partition === partition)
  }

  async read(partition: number, after: number, blocksMax: number): Promise<LogSlice> {
    const blocks = this.#blocksOf(partition).slice(after + 1, after + 1 + blocksMax)
    return { blocks, gaps: [], to: blocks.at(-1)?.offset ?? after, toMs: 0 }
  }

  onAppend(fn: () => void): () => void {
    this.#listeners.add(fn)
    return () => void this.#listeners.delete(fn)
  }

  state(): LogState {
    const { pending: pendingBytes, uncovered: uncoveredBytes } = this
    return { state: 'ok', reason: null, bytes: 0, segments: 1, pendingBytes, uncoveredBytes, gaps: [] }
  }
}
