import { partitionOf } from '../../log/partitions.ts'
import type { Log } from '../../log/port.ts'
import type { Senders } from '../../log/senders.ts'
import type { Dataset } from '../../schemas/dataset.ts'
import type { Message } from '../../schemas/message.ts'
import { type Clock, sleep } from '../../schemas/ports/clock.ts'
import type { Disk } from '../../schemas/ports/disk.ts'
import type { SeenAgent, SeenRefusal } from '../../schemas/ports/senders.ts'
import { BackPressure } from './back-pressure.ts'
import { Blocks, type BlocksConfig, type OpenBlock } from './blocks.ts'
import { Connected } from './connected.ts'
import type { Counts } from './counts.ts'
import type { DatasetIntake, NameLimits, TooMany } from './dataset-intake.ts'
import { KnownDatasets } from './known-datasets.ts'
import { CLOSE_MS_MAX, GOODBYE_MS_MAX } from './limits.ts'
import { OwnClock } from './own-clock.ts'
import { RefusalCounts } from './refusal-counts.ts'
import { type Reject, Rejects } from './rejects.ts'
import type { Row } from './row.ts'
import { type AboutAgent, type NotedAgent, SeenAgents } from './seen-agents.ts'
import { REPEATS, Receipt, type Sender } from './sender.ts'
import { Sessions } from './sessions.ts'

export interface IntakeConfig extends BlocksConfig, NameLimits {
  /** Bytes acknowledged and not yet in the lake; while there are more, senders wait. */
  readonly unsealedBytesMax: number
}

export interface IntakeDeps {
  readonly log: Log
  /** What the log knows of numbered senders. */
  readonly senders: Senders
  readonly datasets: readonly Dataset[]
  readonly clock: Clock
  readonly disk: Disk
  /** Folder of refused lines. */
  readonly rejectsDir: string
  logLine(line: string): void
}

/** The state of the intake, for the status. */
export interface IntakeStatus extends Counts {
  readonly state: 'ok' | 'waiting'
  readonly reason: string | null
  readonly connections: number
  /** Accepted lately. */
  readonly messagesPerSecond: number
  /** Refused lines by reason, the most frequent first. */
  readonly refusals: readonly { readonly code: string; readonly refused: number }[]
  /** Refused lines that could not be kept. */
  readonly unkeptRejects: number
  /** How often a sender was told to keep its messages until a clock is set. */
  readonly clockRefusals: number
}

/**
 * Takes what the senders of every protocol send. It knows nothing of lines or sockets; a protocol knows nothing of blocks,
 * numbers and files.
 *
 *     hello ─▶ take(sender) ─▶ the older connection settles and closes ─▶ highest durable seq
 *     row ──▶ offer(row, sender) ─┬─ a repeat ─▶ receipt, settled with its first copy
 *                                 └─ new ─▶ open block ─▶ log ─▶ receipt, settled when the block is durable
 *     wrong ▶ refuse(reject) ─▶ rejects/ ─▶ the sender may be told
 */
export class Intake {
  readonly connected = new Connected()
  readonly datasets: KnownDatasets
  readonly backPressure: BackPressure
  readonly ownClock: OwnClock
  readonly counts: Counts = {
    accepted: 0,
    repeats: 0,
    refused: 0,
    tooManyNames: 0,
    ignoredFields: 0,
    lostByAgents: 0,
  }
  readonly #deps: IntakeDeps
  readonly #blocks: Blocks
  readonly #sessions: Sessions
  readonly #rejects: Rejects
  readonly #refusals = new RefusalCounts()
  readonly #seen = new SeenAgents()
  readonly #partitions: readonly number[]
  #turn = -1
  readonly #isBehind: () => boolean
  readonly #stopFollowing: () => void
  readonly #forgetting: (() => void)[] = []

  constructor(config: IntakeConfig, deps: IntakeDeps) {
    const { log, disk, rejectsDir, logLine } = deps
    this.#deps = deps
    this.ownClock = new OwnClock(deps)
    this.#partitions = log.partitions()
    const beforeForgetting = () => this.#beforeForgetting()
    this.datasets = new KnownDatasets(deps.datasets, config, { beforeForgetting, logLine })
    this.#blocks = new Blocks(config, {
      ...deps,
      datasets: this.datasets,
      settled: (block, durable) => this.#blockSettled(block, durable),
    })
    this.#sessions = new Sessions(deps.senders, (receipt, durable) => this.#settle(receipt, durable))
    const relieved = () => this.backPressure.relieve()
    this.#rejects = new Rejects(disk, rejectsDir, { logLine, relieved })
    this.#isBehind = () => log.uncoveredBytes() > config.unsealedBytesMax
    const pendingBytes = () => log.pendingBytes() + this.#rejects.pendingBytes
    this.backPressure = new BackPressure({ pendingBytes, isBehind: this.#isBehind }, this.connected)
    this.#stopFollowing = log.onAppend(relieved)
  }

  /** Calls `fn` before names get other numbers: those that a protocol remembers mean nothing any more. */
  onForget(fn: () => void): void {
    this.#forgetting.push(fn)
  }

  /** Appends the open blocks, since their names are numbers, and lets protocols forget theirs. */
  #beforeForgetting(): void {
    this.#blocks.flush()
    for (const fn of this.#forgetting) fn()
  }

  /**
   * Gives the sender's id to it, after an older connection with that id has settled and closed. Resolves with the highest
   * durable seq, and whether two senders are taking the id from each other.
   */
  take(agent: string, sender: Sender): Promise<{ seq: number; twice: boolean }> {
    sender.agent = agent
    sender.partition = partitionOf(agent, this.#partitions)
    return this.#sessions.take(agent, sender, this.#deps.clock.nowMs())
  }

  /** An agent that has its id is told so. */
  welcomed(sender: Sender, about: AboutAgent): void {
    this.counts.lostByAgents += about.lost
    sender.seen = this.#seen.enter(sender.agent!, sender.remote, about, this.#deps.clock.nowMs())
  }

  /** Takes the message in `row`. Messages of a sender that settle together get the same receipt. */
  offer(row: Row, sender: Sender): Receipt {
    const { agent } = sender
    const { seq } = row
    if (sender.seen !== null) this.#note(row, sender.seen)
    if (agent !== null && !this.#sessions.isNew(agent, seq)) return this.#offerRepeat(agent, seq, sender)
    const before = agent === null ? null : this.#sessions.blockOf(agent)
    sender.partition ??= this.#nextPartition()
    const block = this.#blocks.add(row, sender.partition, agent, before)
    if (agent !== null) this.#sessions.put(agent, block)
    const last = sender.lastReceipt
    if (last?.extend(block, seq)) return last
    const receipt = new Receipt(sender, block, seq)
    block.receipts.push(receipt)
    return receipt
  }

  #note({ dataset, names, values }: Row, seen: NotedAgent): void {
    seen.newestMs = values[values.length - 2]!
    if (seen.dataset !== null) return
    const known = this.datasets.get(dataset.name)!.names
    seen.dataset = dataset.name
    seen.names = Array.from(names, (id, column) => known[column]!.text(id))
  }

  /** The partitions take turns with the connections that send without numbers. */
  #nextPartition(): number {
    this.#turn = (this.#turn + 1) % this.#partitions.length
    return this.#partitions[this.#turn]!
  }

  #offerRepeat(agent: string, seq: number, sender: Sender): Receipt {
    this.counts.repeats += 1
    const last = sender.lastReceipt
    if (last?.extend(REPEATS, seq)) return last
    const receipt = new Receipt(sender, REPEATS, seq)
    this.#sessions.repeated(agent, receipt)
    return receipt
  }

  /** Takes a message that no row holds yet. Returns its name that is one too many, where there is one. */
  offerMessage(intake: DatasetIntake, message: Message, sender: Sender): Receipt | TooMany {
    const tooMany = this.datasets.fill(intake, message, this.#deps.clock.nowMs())
    if (tooMany === null) return this.offer(intake.row, sender)
    this.counts.tooManyNames += 1
    return tooMany
  }

  /** Counts and keeps a refused line. Resolves when it is kept or cannot be: only then may the sender be told. */
  refuse(reject: Reject): Promise<void> {
    this.counts.refused += 1
    this.#refusals.add(reject)
    return this.#rejects.keep(reject)
  }

  /** The agents that were seen, those that came last at the end. */
  agents(): readonly SeenAgent[] {
    return this.#seen.list()
  }

  /** What was refused lately, the newest first. */
  refusals(): readonly SeenRefusal[] {
    return this.#refusals.last()
  }

  /** Forgets the kept refused lines that mention all of `words`; how many. */
  forgetRejects(words: readonly string[]): Promise<number> {
    this.#refusals.forget()
    this.#seen.forget(words)
    return this.#rejects.forget(words)
  }

  /** Forgets a sender that is gone. */
  leave(sender: Sender): void {
    const { agent } = sender
    if (agent !== null) this.#sessions.leave(agent, sender, this.#deps.clock.nowMs())
    if (sender.seen !== null) sender.seen.connected = false
    this.connected.leave(sender)
  }

  #blockSettled(block: OpenBlock, durable: boolean): void {
    for (const receipt of block.receipts) {
      const { seq, messages, sender } = receipt
      if (durable) this.counts.accepted += messages
      if (durable && sender.seen !== null) sender.seen.accepted += messages
      if (sender.agent !== null)
        this.#sessions.settled(sender.agent, seq, messages, durable, this.#deps.clock.nowMs())
      this.#settle(receipt, durable)
    }
  }

  #settle(receipt: Receipt, durable: boolean): void {
    receipt.settled = durable
    receipt.sender.link.settled(receipt, durable)
  }

  /** Appends the open blocks now. */
  flush(): void {
    this.#blocks.flush()
  }

  status(): IntakeStatus {
    const { log } = this.#deps
    const { state, reason } = log.state()
    const behind = this.#isBehind()
      ? `sealing is ${log.uncoveredBytes()} bytes behind; senders wait for it`
      : this.ownClock.reason()
    return {
      ...this.counts,
      state: state === 'ok' && behind === null ? 'ok' : 'waiting',
      reason: reason ?? behind,
      connections: this.connected.size,
      messagesPerSecond: this.#blocks.perSecond(),
      refusals: this.#refusals.counts(),
      unkeptRejects: this.#rejects.unkept,
      clockRefusals: this.ownClock.refused,
    }
  }

  /** Makes durable and acknowledges what was delivered, then closes every connection; neither takes for ever. */
  async close(): Promise<void> {
    const { clock } = this.#deps
    for (const { link } of this.connected) link.finish()
    const enough = new AbortController()
    await Promise.race([
      Promise.all([this.#blocks.settled(), this.#rejects.close()]),
      sleep(clock, CLOSE_MS_MAX, enough.signal),
    ])
    enough.abort()
    this.#stopFollowing()
    this.ownClock.close()
    this.#blocks.discard()
    for (const { link } of this.connected) link.hangUp()
    await this.connected.empty(clock, GOODBYE_MS_MAX)
    for (const { link } of this.connected) link.destroy()
  }
}
