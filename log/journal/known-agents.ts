import { forEachAgent } from '../block-codec.ts'
import { AGENT_KEPT_MS, type AgentState, type Senders } from '../senders.ts'

/** The highest seq of every agent: the fold of all blocks so far, trimmed ones included. */
export class KnownAgents implements Senders {
  readonly #states: Map<string, AgentState>

  constructor(states: ReadonlyMap<string, AgentState> = new Map()) {
    this.#states = new Map(states)
  }

  highestSeq(agent: string): number {
    return this.#states.get(agent)?.seq ?? 0
  }

  /** Adds an encoded block. */
  add(payload: Uint8Array, logTimeMs: number): void {
    forEachAgent(payload, (id, seq) => {
      const before = this.#states.get(id)?.seq ?? 0
      this.#states.set(id, { seq: Math.max(before, seq), lastMs: logTimeMs })
    })
  }

  /** Forgets who was not seen for long, and returns the rest. */
  at(logTimeMs: number): ReadonlyMap<string, AgentState> {
    for (const [id, { lastMs }] of this.#states) {
      if (lastMs < logTimeMs - AGENT_KEPT_MS) this.#states.delete(id)
    }
    return this.#states
  }
}
