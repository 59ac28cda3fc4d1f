import { BlockEncoder } from '../../log/block-encoder.ts'
import type { Log } from '../../log/port.ts'
import { BLOCK_MESSAGES_LIMIT } from '../../schemas/block.ts'
import { describeError } from '../../schemas/errors.ts'
import type { Clock } from '../../schemas/ports/clock.ts'
import { BlockDraft } from './block-draft.ts'
import type { DatasetIntake } from './dataset-intake.ts'
import { Rate } from './rate.ts'
import type { Row } from './row.ts'
import type { Receipt } from './sender.ts'

export interface BlocksConfig {
  readonly blockMessages: number
  readonly lingerMs: number
}

/** A block that messages of one dataset are put into, or that waits to be durable. */
export class OpenBlock {
  readonly partition: number
  readonly dataset: string
  messages = 0
  /** Of the senders that put messages in, in their order. */
  readonly receipts: Receipt[] = []

  constructor(partition: number, dataset: string) {
    this.partition = partition
    this.dataset = dataset
  }
}

/** The open block of one dataset in one partition. */
interface Slot {
  readonly draft: BlockDraft
  open: OpenBlock
  cancelLinger: () => void
}

/**
 * The open blocks, one a dataset and partition, shared by the senders of the partition: each is appended when it is full, or
 * `lingerMs` after its first message. Blocks of a partition become durable in the order in which they were appended.
 */
export class Blocks {
  readonly #config: BlocksConfig
  readonly #log: Log
  readonly #clock: Clock
  readonly #settled: (block: OpenBlock, durable: boolean) => void
  readonly #logLine: (line: string) => void
  readonly #messagesMax: number
  readonly #datasets: ReadonlyMap<string, DatasetIntake>
  /** By partition, then by dataset; made when it is needed first. */
  readonly #slots = new Map<number, Map<string, Slot>>()
  readonly #encoder = new BlockEncoder()
  /** Blocks appended and not yet durable. */
  readonly #inFlight = new Set<Promise<void>>()
  readonly #rate = new Rate()

  constructor(
    config: BlocksConfig,
    deps: {
      log: Log
      clock: Clock
      datasets: Iterable<DatasetIntake>
      /** Called when a block is durable, or never will be. */
      settled(block: OpenBlock, durable: boolean): void
      logLine(line: string): void
    },
  ) {
    this.#config = config
    this.#messagesMax = Math.min(config.blockMessages, BLOCK_MESSAGES_LIMIT)
    this.#datasets = new Map(Array.from(deps.datasets, (intake) => [intake.dataset.name, intake]))
    this.#log = deps.log
    this.#clock = deps.clock
    this.#settled = deps.settled
    this.#logLine = deps.logLine
  }

  /**
   * Adds the message in `row`, of `agent`, to a block of `partition` and returns that block. `before` is the block that the
   * agent's last message went into, if any: numbers of an agent become durable in their order, so a block of another dataset
   * is appended first.
   */
  add(row: Row, partition: number, agent: string | null, before: OpenBlock | null): OpenBlock {
    const slot = this.#slotOf(partition, row.dataset.name)
    if (before !== null && before.dataset !== slot.open.dataset) this.#flushBlock(before)
    const block = slot.open
    if (block.messages === 0)
      slot.cancelLinger = this.#clock.after(this.#config.lingerMs, () => this.#flushSlot(slot))
    slot.draft.add(row, agent)
    block.messages += 1
    if (block.messages >= this.#messagesMax) this.#flushSlot(slot)
    return block
  }

  #slotOf(partition: number, dataset: string): Slot {
    let slots = this.#slots.get(partition)
    if (slots === undefined) {
      slots = new Map()
      this.#slots.set(partition, slots)
    }
    let slot = slots.get(dataset)
    if (slot === undefined) {
      const draft = new BlockDraft(this.#messagesMax, this.#datasets.get(dataset)!)
      slot = { draft, open: new OpenBlock(partition, dataset), cancelLinger: () => {} }
      slots.set(dataset, slot)
    }
    return slot
  }

  *#allSlots(): Iterable<Slot> {
    for (const slots of this.#slots.values()) yield* slots.values()
  }

  /** Appends the open blocks now. */
  flush(): void {
    for (const slot of this.#allSlots()) this.#flushSlot(slot)
  }

  /** Appends a block now, unless it was already. */
  #flushBlock(block: OpenBlock): void {
    const slot = this.#slotOf(block.partition, block.dataset)
    if (slot.open === block) this.#flushSlot(slot)
  }

  #flushSlot(slot: Slot): void {
    const block = slot.open
    if (block.messages === 0) return
    slot.cancelLinger()
    slot.open = new OpenBlock(block.partition, block.dataset)
    const payload = this.#encoder.encode(slot.draft.columns())
    slot.draft.clear()
    const done = this.#append(block, payload)
    this.#inFlight.add(done)
    void done.finally(() => this.#inFlight.delete(done))
  }

  async #append(block: OpenBlock, payload: Uint8Array): Promise<void> {
    let durable = true
    try {
      await this.#log.append(block.partition, payload)
      this.#rate.add(block.messages, this.#clock.nowMs())
    } catch (error) {
      durable = false
      this.#logLine(`collector: a block was not stored: ${describeError(error)}`)
    }
    this.#settled(block, durable)
  }

  /** Returns how many messages a second became durable lately. */
  perSecond(): number {
    return this.#rate.perSecond(this.#clock.nowMs())
  }

  /** Resolves when everything added so far is durable or refused. */
  async settled(): Promise<void> {
    this.flush()
    await Promise.all(this.#inFlight)
  }

  /** Drops the messages of the open blocks. */
  discard(): void {
    for (const slot of this.#allSlots()) {
      slot.cancelLinger()
      slot.draft.clear()
      slot.open = new OpenBlock(slot.open.partition, slot.open.dataset)
    }
  }
}
