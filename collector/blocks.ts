import { encodeBlock } from '../log/block-codec.ts'
import type { Log } from '../log/port.ts'
import { BLOCK_MESSAGES_LIMIT } from '../schemas/block.ts'
import { describeError } from '../schemas/errors.ts'
import type { Clock } from '../schemas/ports/clock.ts'
import { BlockDraft } from './block-draft.ts'
import type { KnownNames, LineDecoder } from './decoder.ts'
import { Rate } from './rate.ts'

export interface BlocksConfig {
  readonly blockMessages: number
  readonly lingerMs: number
}

/** Told when a block is durable, or never will be. */
export type Settle = (durable: boolean) => void

/** A block that messages are put into, or that waits to be durable. */
export class OpenBlock {
  messages = 0
  readonly settles: Settle[] = []
}

/**
 * The open block of the partition, shared by all connections: appended when it is full, or `lingerMs` after its first
 * message. Whoever put messages in is told when the block is durable, in the order of the blocks.
 */
export class Blocks {
  readonly #config: BlocksConfig
  readonly #log: Log
  readonly #partition: number
  readonly #clock: Clock
  readonly #logLine: (line: string) => void
  readonly #messagesMax: number
  readonly #draft: BlockDraft
  #open = new OpenBlock()
  #cancelLinger = () => {}
  /** Blocks appended and not yet durable. */
  readonly #inFlight = new Set<Promise<void>>()
  readonly #rate = new Rate()

  constructor(
    config: BlocksConfig,
    deps: { log: Log; clock: Clock; names: KnownNames; logLine(line: string): void },
  ) {
    this.#config = config
    this.#messagesMax = Math.min(config.blockMessages, BLOCK_MESSAGES_LIMIT)
    this.#draft = new BlockDraft(this.#messagesMax, deps.names)
    this.#log = deps.log
    // The journal has one.
    this.#partition = deps.log.partitions()[0]!
    this.#clock = deps.clock
    this.#logLine = deps.logLine
  }

  /** Adds the message that `decoded` holds, of `agent`; the block that holds it, whose `settles` are told. */
  add(decoded: LineDecoder, agent: string | null): OpenBlock {
    const block = this.#open
    if (block.messages === 0) {
      this.#cancelLinger = this.#clock.after(this.#config.lingerMs, () => this.flush())
    }
    this.#draft.add(decoded, agent)
    block.messages += 1
    if (block.messages >= this.#messagesMax) this.flush()
    return block
  }

  /** Appends the open block now. */
  flush(): void {
    const block = this.#open
    if (block.messages === 0) return
    this.#cancelLinger()
    this.#open = new OpenBlock()
    const payload = encodeBlock(this.#draft.columns())
    this.#draft.clear()
    const done = this.#append(block, payload)
    this.#inFlight.add(done)
    void done.finally(() => this.#inFlight.delete(done))
  }

  async #append(block: OpenBlock, payload: Uint8Array): Promise<void> {
    let durable = true
    try {
      await this.#log.append(this.#partition, payload)
      this.#rate.add(block.messages, this.#clock.nowMs())
    } catch (error) {
      durable = false
      this.#logLine(`collector: a block was not stored: ${describeError(error)}`)
    }
    for (const settle of block.settles) settle(durable)
  }

  /** Messages made durable a second, lately. */
  perSecond(): number {
    return this.#rate.perSecond(this.#clock.nowMs())
  }

  /** Resolves when everything added so far is durable or refused. */
  async settled(): Promise<void> {
    this.flush()
    await Promise.all(this.#inFlight)
  }

  discard(): void {
    this.#cancelLinger()
    this.#draft.clear()
    this.#open = new OpenBlock()
  }
}
