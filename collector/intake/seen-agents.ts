import type { SeenAgent } from '../../schemas/ports/senders.ts'
import { SEEN_AGENTS_MAX } from './limits.ts'

/** What an agent's hello says of it. */
export interface AboutAgent {
  readonly version: string | null
  readonly scope: string | null
  /** Samples lost since the hello before. */
  readonly lost: number
}

/** What is noted of an agent while it sends. */
export type NotedAgent = { -readonly [field in keyof SeenAgent]: SeenAgent[field] }

/** The agents that were seen since the start, those that came last at the end; the one that left longest ago makes room. */
export class SeenAgents {
  readonly #agents = new Map<string, NotedAgent>()

  /** An agent is connected from now on. What is noted of it is shared with the caller, which goes on with it. */
  enter(agent: string, remote: string, { version, scope, lost }: AboutAgent, nowMs: number): NotedAgent {
    const before = this.#agents.get(agent)
    this.#agents.delete(agent)
    if (this.#agents.size >= SEEN_AGENTS_MAX) this.#makeRoom()
    const noted: NotedAgent = {
      agent,
      names: [],
      dataset: null,
      remote,
      version,
      scope,
      connected: true,
      sinceMs: nowMs,
      newestMs: before?.newestMs ?? null,
      accepted: before?.accepted ?? 0,
      lost: (before?.lost ?? 0) + lost,
    }
    this.#agents.set(agent, noted)
    return noted
  }

  #makeRoom(): void {
    for (const [id, { connected }] of this.#agents)
      if (!connected) {
        this.#agents.delete(id)
        return
      }
  }

  list(): readonly SeenAgent[] {
    return [...this.#agents.values()].map((noted) => ({ ...noted }))
  }

  /** Forgets those that left and whose names, or id, are among `words`. */
  forget(words: readonly string[]): void {
    for (const [id, { connected, names, agent }] of this.#agents)
      if (!connected && words.some((word) => word === agent || names.includes(word))) this.#agents.delete(id)
  }
}
