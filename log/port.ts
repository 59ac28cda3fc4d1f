import type { Block } from '../schemas/block.ts'
import type { Columns } from '../schemas/message.ts'
import type { Gap } from '../schemas/position.ts'

/**
 * The ordered, durable record of blocks. The embedded log is `journal/`; a Kafka topic fits the same port.
 *
 * Implementers must honour: offsets of a partition grow by one from 0; a block is visible to readers only
 * when it is durable; `append` resolves only then; what was visible once stays so until trimmed, or is named
 * as a gap.
 */
export interface Log {
  /** The partition that takes appends. */
  readonly partition: number
  /**
   * Appends one block (1 to `BLOCK_MESSAGES_LIMIT` messages) and resolves with its offset when it is durable.
   * Appends are durable in the order of the calls. While the disk is full it waits; `state()` says so.
   */
  append(messages: Columns): Promise<number>
  /** Bytes accepted and not yet durable: what back-pressure looks at. */
  pendingBytes(): number
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
  /** Forgets the blocks at or below `to`, as far as whole segments allow. Never forgets the last segment. */
  trim(to: number): Promise<void>
  /** Calls `fn` after each time that `end()` grew; the result unsubscribes. */
  onAppend(fn: () => void): () => void
  /** Highest durable seq per agent: the fold of all durable blocks, trimmed ones included. */
  highestSeq(agent: string): number
  /** Ranges that could not be read, found at start-up or while reading. */
  gaps(): readonly Gap[]
  state(): LogState
  close(): Promise<void>
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
