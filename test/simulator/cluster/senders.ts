import { host } from '../../../schemas/datasets/host.ts'
import type { Message } from '../../../schemas/message.ts'
import { toColumns } from '../../../schemas/message.ts'
import type { SimClock } from '../../sim/clock.ts'
import type { PartitionedLog } from '../../sim/partitioned-log.ts'
import type { Dice } from '../dice.ts'
import type { Accepted } from './accepted.ts'

export const SERVICES = ['checkout', 'search', 'mail']
const AGENTS = 5
const COLLECTORS = 3
/** Messages of one block. */
const BLOCK_MESSAGES = 4

/** An agent with its spool: it sends in order, again what it does not know to be durable. */
interface Agent {
  readonly id: string
  readonly partition: number
  readonly sent: Message[]
  /** The highest number that it knows to be durable. */
  acked: number
}

/** A group of blocks that a collector sent, which may come to stand in the log again. */
interface Group {
  readonly partition: number
  readonly blocks: readonly { readonly messages: readonly Message[]; readonly id: string | null }[]
}

/**
 * Agents and unnumbered lines behind several collectors, as the log gets to know them: an agent that changes collectors sends
 * again what it has no answer for, and a group of blocks whose answer was lost is sent again whole.
 */
export class Senders {
  readonly #log: PartitionedLog
  readonly #clock: SimClock
  readonly #accepted: Accepted
  readonly #agents: readonly Agent[]
  /** The last groups of each collector. */
  readonly #groups: Group[][] = Array.from({ length: COLLECTORS }, () => [])
  #made = 0

  constructor(log: PartitionedLog, clock: SimClock, accepted: Accepted) {
    this.#log = log
    this.#clock = clock
    this.#accepted = accepted
    this.#agents = Array.from({ length: AGENTS }, (_, n) => {
      return { id: `agent-${n}`, partition: n % log.count, sent: [], acked: 0 }
    })
  }

  /** Agents measure, send what they have no answer for, and get answers for some of it. */
  send(dice: Dice): string {
    const agent = dice.pick(this.#agents)
    this.#measure(agent, 1 + dice.below(6), dice)
    const unanswered = agent.sent.length - agent.acked
    const blocks = this.#unanswered(agent)
    const collector = dice.below(COLLECTORS)
    // A collector that dies in between has sent the first of it.
    const arrived = dice.float() < 0.8 ? blocks : blocks.slice(0, dice.below(blocks.length + 1))
    this.#append(collector, { partition: agent.partition, blocks: arrived }, dice)
    const durable = arrived.at(-1)?.messages.at(-1)?.seq ?? agent.acked
    const isAnswered = dice.float() < 0.6
    if (isAnswered) agent.acked = durable
    return `${agent.id} by collector ${collector}: ${unanswered} messages${isAnswered ? '' : ', unanswered'}`
  }

  /**
   * A collector dies between the broker's answer and its own: what it sent is in the log, and the agent does not know. It comes back
   * through another collector with all of it and what it measured since, in other blocks.
   */
  dieBeforeAnswer(dice: Dice): string {
    const agent = dice.pick(this.#agents)
    const dying = dice.below(COLLECTORS)
    this.#measure(agent, 1 + dice.below(6), dice)
    const before = this.#unanswered(agent)
    this.#append(dying, { partition: agent.partition, blocks: before }, dice)
    // What it might have sent a second time ends with it.
    this.#groups[dying] = []
    const inLog = agent.sent.length - agent.acked
    this.#measure(agent, 1 + dice.below(3), dice)
    const other = (dying + 1 + dice.below(COLLECTORS - 1)) % COLLECTORS
    this.#append(other, { partition: agent.partition, blocks: this.#unanswered(agent) }, dice)
    const again = agent.sent.length - agent.acked
    agent.acked = agent.sent.length
    return `collector ${dying} dies before it answers ${agent.id}: ${inLog} messages; by collector ${other} ${again}`
  }

  #measure(agent: Agent, messages: number, dice: Dice): void {
    for (let n = 0; n < messages; n++) agent.sent.push(this.#message(dice, agent))
  }

  /** What an agent has no answer for, as the blocks of a collector. */
  #unanswered({ sent, acked }: Agent): Group['blocks'] {
    const blocks = []
    for (let at = acked; at < sent.length; at += BLOCK_MESSAGES)
      blocks.push({ messages: sent.slice(at, at + BLOCK_MESSAGES), id: null })
    return blocks
  }

  /** Lines without numbers, in a block with an id. */
  sendUnnumbered(dice: Dice): string {
    const collector = dice.below(COLLECTORS)
    const partition = dice.below(this.#log.count)
    const blocks = Array.from({ length: 1 + dice.below(3) }, () => ({
      messages: Array.from({ length: 1 + dice.below(3) }, () => this.#message(dice, null)),
      id: `block-${this.#made++}`,
    }))
    this.#append(collector, { partition, blocks }, dice)
    return `${blocks.length} blocks of lines by collector ${collector}`
  }

  /** A group whose answer was lost, long ago or just now, comes to stand in the log again. */
  standTwice(dice: Dice): string {
    const groups = dice.pick(this.#groups)
    if (groups.length === 0) return 'nothing was sent'
    const group = groups[Math.max(0, groups.length - 1 - dice.below(4))]!
    for (const block of group.blocks) this.#appendBlock(group.partition, block, dice)
    return `${group.blocks.length} blocks of partition ${group.partition} again`
  }

  #append(collector: number, group: Group, dice: Dice): void {
    if (group.blocks.length === 0) return
    for (const block of group.blocks) this.#appendBlock(group.partition, block, dice)
    this.#groups[collector]!.push(group)
  }

  #appendBlock(partition: number, { messages, id }: Group['blocks'][number], dice: Dice): void {
    const hole = dice.float() < 0.2 ? 1 + dice.below(3) : 0
    // Clocks of collectors differ.
    const logTimeMs = this.#clock.nowMs() - dice.below(2_000)
    this.#accepted.record(this.#log.append(partition, toColumns(host, messages), { id, hole, logTimeMs }))
  }

  #message(dice: Dice, agent: Agent | null): Message {
    this.#made += 1
    return {
      names: [dice.pick(SERVICES), agent === null ? `line-${this.#made}` : `host-of-${agent.id}`],
      timeMs: this.#clock.nowMs() - (dice.float() < 0.1 ? dice.below(86_400_000) : dice.below(5_000)),
      gauges: [dice.below(100), dice.below(100), this.#made],
      agent: agent?.id ?? null,
      seq: agent === null ? null : agent.sent.length + 1,
    }
  }
}
