import type { Log } from '../log/port.ts'
import { BLOCK_MESSAGES_LIMIT } from '../schemas/block.ts'
import { describeError } from '../schemas/errors.ts'
import { GAUGES } from '../schemas/gauges.ts'
import type { Columns, Message } from '../schemas/message.ts'
import type { Clock } from '../schemas/ports/clock.ts'
import { Rate } from './rate.ts'

export interface BlocksConfig {
  readonly blockMessages: number
  readonly lingerMs: number
}

/** Told when a block is durable, or never will be. */
export type Settle = (durable: boolean) => void

/** A block while messages are added to it, column by column, and while it waits to be durable. */
export class OpenBlock {
  readonly service: string[] = []
  readonly host: string[] = []
  readonly agent: (string | null)[] = []
  readonly seq: (number | null)[] = []
  readonly timeMs: number[] = []
  readonly gauges: number[][] = GAUGES.map(() => [])
  readonly settles: Settle[] = []

  get length(): number {
    return this.timeMs.length
  }

  add({ service, host, agent, seq, timeMs, gauges }: Message): void {
    this.service.push(service)
    this.host.push(host)
    this.agent.push(agent)
    this.seq.push(seq)
    this.timeMs.push(timeMs)
    for (let g = 0; g < gauges.length; g++) this.gauges[g]!.push(gauges[g]!)
  }

  columns(): Columns {
    const { length, service, host, agent, seq, timeMs, gauges } = this
    return { length, service, host, agent, seq, timeMs, gauges }
  }
}

/**
 * The open block of the partition, shared by all connections: appended when it is full, or `lingerMs` after its first
 * message. Whoever put messages in is told when the block is durable, in the order of the blocks.
 */
export class Blocks {
  readonly #config: BlocksConfig
  readonly #log: Log
  readonly #clock: Clock
  readonly #logLine: (line: string) => void
  #open = new OpenBlock()
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

  /** Adds a message, which may be changed afterwards; the block that holds it, whose `settles` are told. */
  add(message: Message): OpenBlock {
    const block = this.#open
    if (block.length === 0) {
      this.#cancelLinger = this.#clock.after(this.#config.lingerMs, () => this.flush())
    }
    block.add(message)
    if (block.length >= Math.min(this.#config.blockMessages, BLOCK_MESSAGES_LIMIT)) this.flush()
    return block
  }

  /** Appends the open block now. */
  flush(): void {
    const block = this.#open
    if (block.length === 0) return
    this.#cancelLinger()
    this.#open = new OpenBlock()
    const done = this.#append(block)
    this.#inFlight.add(done)
    void done.finally(() => this.#inFlight.delete(done))
  }

  async #append(block: OpenBlock): Promise<void> {
    let durable = true
    try {
      await this.#log.append(block.columns())
      this.#rate.add(block.length, this.#clock.nowMs())
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
    this.#open = new OpenBlock()
  }
}
