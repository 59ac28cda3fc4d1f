/** Collector → serving: who sends, and what was refused lately. */
export interface SeenSenders {
  /** The agents that sent since the collector started, a bounded number of them. */
  agents(): Promise<readonly SeenAgent[]>
  /** What was refused lately, the newest first. */
  refusals(): Promise<readonly SeenRefusal[]>
}

/** An agent as the collector knows it. */
export interface SeenAgent {
  readonly agent: string
  /** Names of a message since it last connected, like service and host; none before the first. */
  readonly names: readonly string[]
  readonly dataset: string | null
  /** Its address. */
  readonly remote: string
  /** What its last hello said; null where it said nothing. */
  readonly version: string | null
  readonly scope: string | null
  readonly connected: boolean
  /** When it last connected. */
  readonly sinceMs: number
  /** The time that its last message bears; null before the first. */
  readonly newestMs: number | null
  /** Since the collector started: messages that it sent and are durable, and samples that it said it lost. */
  readonly accepted: number
  readonly lost: number
}

/** A refused line, without its words. */
export interface SeenRefusal {
  readonly timeMs: number
  readonly remote: string
  readonly agent: string | null
  readonly code: string
  readonly field: string | null
  readonly reason: string
}
