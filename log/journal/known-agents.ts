import { HOUR_MS } from '../../schemas/time.ts'
import type { BlockDecoder } from '../block-decoder.ts'
import { AGENT_KEPT_MS, AGENTS_BYTES_MAX, type AgentState, type Senders } from '../senders.ts'
import { agentBytes } from './segment-head.ts'

/** When there are too many agents, so many go that not at every block some must. */
const KEPT_SHARE = 7 / 8
/** How exactly it is known which agent was seen before which. */
const ORDER_MS = HOUR_MS

interface Known extends AgentState {
  seq: number
  lastMs: number
  /** When it was moved behind all others. */
  movedMs: number
}

/** The highest seq of every agent: the fold of all blocks so far, trimmed ones included. */
export class KnownAgents implements Senders {
  /** Those unseen for the longest first, to `ORDER_MS`. */
  readonly #states = new Map<string, Known>()
  readonly #decoder: BlockDecoder
  readonly #bytesMax: number
  /** What they take in the head of a segment. */
  #bytes = 0

  constructor(
    decoder: BlockDecoder,
    states: ReadonlyMap<string, AgentState> = new Map(),
    bytesMax = AGENTS_BYTES_MAX,
  ) {
    this.#decoder = decoder
    this.#bytesMax = bytesMax
    for (const [id, { seq, lastMs }] of states) this.#see(id, seq, lastMs)
  }

  highestSeq(agent: string): number {
    return this.#states.get(agent)?.seq ?? 0
  }

  /** Adds an encoded block. */
  add(payload: Uint8Array, logTimeMs: number): void {
    this.#decoder.forEachAgent(payload, (id, seq) => this.#see(id, seq, logTimeMs))
  }

  #see(id: string, seq: number, lastMs: number): void {
    const known = this.#states.get(id)
    if (known === undefined) {
      this.#states.set(id, { seq, lastMs, movedMs: lastMs })
      this.#bytes += agentBytes(id)
      return
    }
    if (seq > known.seq) known.seq = seq
    known.lastMs = lastMs
    if (lastMs - known.movedMs < ORDER_MS) return
    known.movedMs = lastMs
    this.#states.delete(id)
    this.#states.set(id, known)
  }

  get states(): ReadonlyMap<string, AgentState> {
    return this.#states
  }

  /** Forgets agents unseen for long before `nowMs`; and, where there are too many, those unseen for the longest. */
  forget(nowMs: number): void {
    const limitMs = nowMs - AGENT_KEPT_MS
    for (const [id, { lastMs, movedMs }] of this.#states) {
      if (movedMs >= limitMs) break
      if (lastMs < limitMs) this.#remove(id)
    }
    if (this.#bytes <= this.#bytesMax) return
    for (const id of this.#states.keys()) {
      if (this.#bytes <= this.#bytesMax * KEPT_SHARE) return
      this.#remove(id)
    }
  }

  #remove(id: string): void {
    this.#states.delete(id)
    this.#bytes -= agentBytes(id)
  }
}
