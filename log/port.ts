import type { Block } from '../schemas/block.ts'
import type { Gap } from '../schemas/position.ts'

/**
 * The ordered, durable record of blocks, for those who read it. The embedded log is `journal/`; a Kafka topic fits the
 * same port.
 *
 * Implementers must honour: offsets of a partition grow by one from 0; a block is visible to readers only
 * when it is durable; what was visible once stays so until trimmed, or is named as a gap.
 */
export interface LogReader {
  /** The partition that takes appends. */
  readonly partition: number
  /** Offset of the last durable block, −1 when there is none. */
  end(): number
  /** Offset before the first block kept: everything at or below it is trimmed. −1 when nothing is. */
  start(): number
  /**
   * The blocks after `after`, in order, at most `blocksMax` and about `bytesMax`; none at the end. Gaps met on
   * the way come with them, so `to` (the offset up to which this answer speaks) can exceed the last block's.
   * Throws `E_TRIMMED` when `after` lies before `start()`.
   */
  read(after: number, blocksMax: number): Promise<LogSlice>
  /** Says that the lake holds every block at or below `to`. */
  covered(to: number): void
  /** Forgets the blocks at or below `to`, as far as whole segments allow. Never forgets the last segment. */
  trim(to: number): Promise<void>
  /** Calls `fn` after each time that `end()` grew or `state()` changed; the result unsubscribes. */
  onAppend(fn: () => void): () => void
  state(): LogState
  close(): Promise<void>
}

/** The log, for the one who appends: the collector. `append` resolves only when the block is durable. */
export interface Log extends LogReader {
  /**
   * Appends one encoded block (`encodeBlock`; 1 to `BLOCK_MESSAGES_LIMIT` messages) and resolves with its offset when it
   * is durable. Appends are durable in the order of the calls. While the disk is full it waits; `state()` says so.
   */
  append(payload: Uint8Array): Promise<number>
  /** As in `state()`. */
  pendingBytes(): number
  uncoveredBytes(): number
  /** Highest durable seq per agent: the fold of all durable blocks, trimmed ones included. */
  highestSeq(agent: string): number
}

export interface LogSlice {
  readonly blocks: readonly Block[]
  readonly gaps: readonly Gap[]
  readonly to: number
  /** Log time of the block at `to` (of its readable predecessor, when that is in a gap). */
  readonly toMs: number
}

export interface LogState {
  readonly state: 'ok' | 'disk_full' | 'failed'
  readonly reason: string | null
  readonly bytes: number
  readonly segments: number
  /** Bytes accepted and not yet durable: what back-pressure looks at. */
  readonly pendingBytes: number
  /** Bytes that are durable and not yet in the lake, in whole segments: what grows when sealing falls behind. */
  readonly uncoveredBytes: number
  /** Ranges that could not be read, found at start-up or while reading. */
  readonly gaps: readonly Gap[]
}

/** What a log remembers of a numbered sender. */
export interface AgentState {
  /** Highest seq appended. */
  readonly seq: number
  /** Log time of its block. */
  readonly lastMs: number
}

/** An agent unseen for this long of log time is forgotten. */
export const AGENT_KEPT_MS = 90 * 86_400_000
