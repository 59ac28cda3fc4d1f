import type { Log } from '../log/port.ts'
import { BLOCK_MESSAGES_LIMIT } from '../schemas/block.ts'
import { describeError } from '../schemas/errors.ts'
import { type Columns, type Message, toColumns } from '../schemas/message.ts'
import type { Clock } from '../schemas/ports/clock.ts'
import { Rate } from './rate.ts'

export interface BlocksConfig {
  readonly blockMessages: number
  readonly lingerMs: number
}

/** Told when the block that holds its message is durable, or never will be. */
export type Settle = (durable: boolean) => void

/**
 * The open block of the partition, shared by all connections: appended when it is full, or `lingerMs` after its first
 * message. Whoever put a message in is told when the block is durable, in the order of the blocks.
 */
export class Blocks {
  readonly #config: BlocksConfig
  readonly #log: Log
  readonly #clock: Clock
  readonly #logLine: (line: string) => void
  #messages: Message[] = []
  #settles: Settle[] = []
  #cancelLinger = () => {}
  /** Blocks appended and not yet durable. */
  readonly #inFlight = new Set<Promise<void>>()
  readonly #rate = new Rate()

  constructor(config: BlocksConfig, deps: { log: Log; clock: Clock; logLine(line: string): void }) {
    this.#config = config
    this.#log = deps.log
    this.#clock = deps.clock
    this.#logLine = deps.logLine
  }

  add(message: Message, settle: Settle): void {
    if (this.#messages.length === 0) {
      this.#cancelLinger = this.#clock.after(this.#config.lingerMs, () => this.flush())
    }
    this.#messages.push(message)
    this.#settles.push(settle)
    if (this.#messages.length >= Math.min(this.#config.blockMessages, BLOCK_MESSAGES_LIMIT)) this.flush()
  }

  /** Appends the open block now. */
  flush(): void {
    if (this.#messages.length === 0) return
    this.#cancelLinger()
    const columns = toColumns(this.#messages)
    const settles = this.#settles
    this.#messages = []
    this.#settles = []
    const done = this.#append(columns, settles)
    this.#inFlight.add(done)
    void done.finally(() => this.#inFlight.delete(done))
  }

  async #append(columns: Columns, settles: Settle[]): Promise<void> {
    let durable = true
    try {
      await this.#log.append(columns)
      this.#rate.add(columns.length, this.#clock.nowMs())
    } catch (error) {
      durable = false
      this.#logLine(`collector: a block was not stored: ${describeError(error)}`)
    }
    for (const settle of settles) settle(durable)
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
    this.#messages = []
    this.#settles = []
  }
}
