import { DAY_MS } from '../schemas/time.ts'

/**
 * What the log knows of the senders that number their messages: what the collector asks before it takes a message for new.
 * A part of its own, so that a log whose blocks come back through another collector can answer from what it has read.
 */
export interface Senders {
  /** The highest seq of `agent` that is durable, 0 when none is known: it may be too low, never too high. */
  highestSeq(agent: string): number
}

/** What is remembered of a numbered sender. */
export interface AgentState {
  /** Highest seq appended. */
  readonly seq: number
  /** Log time of its block. */
  readonly lastMs: number
}

/** An agent unseen for this long of log time is forgotten. */
export const AGENT_KEPT_MS = 90 * DAY_MS

/**
 * Bytes that the agents may take in the head of a segment; beyond that those unseen for the longest are forgotten. Enough for
 * 160,000 agents with the ids that Tidemark's agents have, and for 15,000 with the longest there can be.
 */
export const AGENTS_BYTES_MAX = 8 << 20
