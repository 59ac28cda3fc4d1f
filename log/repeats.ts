import type { Block } from '../schemas/block.ts'
import { isError } from '../schemas/errors.ts'
import type { Columns } from '../schemas/message.ts'
import { HOUR_MS } from '../schemas/time.ts'
import { AGENT_KEPT_MS, AGENTS_BYTES_MAX } from './senders.ts'

/**
 * Which messages of a partition count, where the log may hold some of them several times: a fold over its blocks in log
 * order. The first copy of (agent, seq) counts, and a block without numbers counts when none with its id is among the
 * `IDS_MAX` before it.
 *
 *     blocks ──▶ accept ──▶ rows that count
 *                  │
 *                  ▼
 *     agent → highest seq, the last ids, the highest log time
 *
 * What it remembers is a pure function of the blocks so far, what it forgets included, so that readers which begin at different
 * positions, with the state kept there, accept the same messages. Whatever is changed here must stay so:
 *
 * - Log time is the highest of any block so far: collectors' clocks differ.
 * - Agents unseen for `AGENT_KEPT_MS` are forgotten at the first block of an hour of log time, and are taken for unknown before
 *   that. Those unseen for the longest, to an hour, come first, and go when there are too many.
 */
export class Repeats {
  readonly #agents = new Map<string, KnownAgent>()
  readonly #ids = new Set<string>()
  readonly #limits: RepeatsLimits
  #agentBytes = 0
  #nowMs: number
  #isWhole: boolean
  #isBegunAnew: boolean

  constructor(state: RepeatsState = NOTHING_SEEN, limits: RepeatsLimits = LIMITS) {
    this.#limits = limits
    this.#nowMs = state.nowMs
    this.#isWhole = state.isWhole
    this.#isBegunAnew = state.isBegunAnew
    for (const [id, agent] of state.agents) this.#agents.set(id, { ...agent })
    for (const id of state.ids) this.#ids.add(id)
    for (const id of this.#agents.keys()) this.#agentBytes += bytesOf(id)
  }

  /** What a fold must know that goes on from here; it changes with the next block. */
  get state(): RepeatsState {
    return {
      nowMs: this.#nowMs,
      isWhole: this.#isWhole,
      isBegunAnew: this.#isBegunAnew,
      agents: this.#agents,
      ids: this.#ids,
    }
  }

  /** See `RepeatsState`. */
  get isBegunAnew(): boolean {
    return this.#isBegunAnew
  }

  /** Blocks before the next one could not be added: what it knows may lack something from here on. */
  missed(): void {
    this.#isWhole = false
  }

  /** What counted before the next block is not known any more: from here on some may count twice. */
  begunAnew(): void {
    this.#isWhole = false
    this.#isBegunAnew = true
  }

  copy(): Repeats {
    return new Repeats(this.state, this.#limits)
  }

  /**
   * Adds the next block: the rows of it that count, null when all do. A block whose messages cannot be read changes nothing; it
   * is for the reader to say so.
   */
  accept(block: Pick<Block, 'logTimeMs' | 'messages' | 'id'>): Uint16Array | null {
    const messages = readable(block)
    if (messages === null) return null
    this.#goOn(block.logTimeMs)
    if (block.id != null) {
      if (this.#ids.has(block.id)) return new Uint16Array()
      this.#ids.add(block.id)
      if (this.#ids.size > this.#limits.ids) this.#ids.delete(first(this.#ids)!)
    }
    const rows = this.#newRows(messages)
    if (this.#agentBytes > this.#limits.agentBytes) this.#forgetSome()
    return rows
  }

  #newRows({ length, agent: { dictionary, places }, seq }: Columns): Uint16Array | null {
    const known: (KnownAgent | undefined)[] = []
    let kept: Uint16Array | null = null
    let count = 0
    for (let i = 0; i < length; i++) {
      const place = places[i]!
      const id = dictionary[place]!
      let isNew = true
      if (id !== null && seq[i]! > 0) {
        known[place] ??= this.#see(id)
        const agent = known[place]
        isNew = seq[i]! > agent.seq
        if (isNew) agent.seq = seq[i]!
      }
      if (!isNew && kept === null) kept = firstRows(i, length)
      if (isNew && kept !== null) kept[count] = i
      if (isNew) count += 1
    }
    return kept === null ? null : kept.slice(0, count)
  }

  #goOn(logTimeMs: number): void {
    const hourBefore = Math.floor(this.#nowMs / HOUR_MS)
    this.#nowMs = Math.max(this.#nowMs, logTimeMs)
    if (Math.floor(this.#nowMs / HOUR_MS) === hourBefore) return
    for (const [id, { lastMs, movedMs }] of this.#agents) {
      if (!this.#isLongAgo(movedMs)) break
      if (this.#isLongAgo(lastMs)) this.#remove(id)
    }
  }

  #isLongAgo(seenMs: number): boolean {
    return this.#nowMs - seenMs > AGENT_KEPT_MS
  }

  #see(id: string): KnownAgent {
    const found = this.#agents.get(id)
    if (found === undefined) {
      const made = { seq: 0, lastMs: this.#nowMs, movedMs: this.#nowMs }
      this.#agents.set(id, made)
      this.#agentBytes += bytesOf(id)
      return made
    }
    if (this.#isLongAgo(found.lastMs)) found.seq = 0
    found.lastMs = this.#nowMs
    if (this.#nowMs - found.movedMs < HOUR_MS) return found
    found.movedMs = this.#nowMs
    this.#agents.delete(id)
    this.#agents.set(id, found)
    return found
  }

  #forgetSome(): void {
    for (const id of this.#agents.keys()) {
      if (this.#agentBytes <= this.#limits.agentBytes * KEPT_SHARE) return
      this.#remove(id)
    }
  }

  #remove(id: string): void {
    this.#agents.delete(id)
    this.#agentBytes -= bytesOf(id)
  }
}

/** What the fold knows of an agent. */
export interface KnownAgent {
  /** The highest number that counted. */
  seq: number
  /** Log time when it was seen last. */
  lastMs: number
  /** When it was moved behind all others: at most an hour before that. */
  movedMs: number
}

/** What a fold knows at a position. The order of agents and ids is part of it. */
export interface RepeatsState {
  /** Highest log time so far. */
  readonly nowMs: number
  /** Whether every block was added. */
  readonly isWhole: boolean
  /** Whether it began with nothing although blocks were before that counted: repeats of them count again. */
  readonly isBegunAnew: boolean
  readonly agents: ReadonlyMap<string, Readonly<KnownAgent>>
  readonly ids: ReadonlySet<string>
}

/** How much a fold remembers; all readers of a log must have the same. */
export interface RepeatsLimits {
  /** Blocks without numbers. */
  readonly ids: number
  /** Bytes of agents when stored. */
  readonly agentBytes: number
}

/** Blocks without numbers whose ids are remembered: a collector sends again what it sent last. */
export const IDS_MAX = 10_000
const LIMITS: RepeatsLimits = { ids: IDS_MAX, agentBytes: AGENTS_BYTES_MAX }
/** When there are too many agents, so many stay that not at every block some must go. */
const KEPT_SHARE = 7 / 8
/** What an agent takes when stored besides its id. */
export const AGENT_FIXED_BYTES = 26
const NOTHING_SEEN: RepeatsState = {
  nowMs: 0,
  isWhole: true,
  isBegunAnew: false,
  agents: new Map(),
  ids: new Set(),
}

function bytesOf(id: string): number {
  return AGENT_FIXED_BYTES + Buffer.byteLength(id)
}

function readable(block: Pick<Block, 'messages'>): Columns | null {
  try {
    return block.messages
  } catch (error) {
    if (isError(error, 'E_COLUMNS')) return null
    throw error
  }
}

function first<T>(set: ReadonlySet<T>): T | undefined {
  return set.values().next().value
}

/** Room for `length` rows, of which the first `count` are there. */
function firstRows(count: number, length: number): Uint16Array {
  const rows = new Uint16Array(length)
  for (let i = 0; i < count; i++) rows[i] = i
  return rows
}
