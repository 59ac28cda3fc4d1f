import type { Block } from '../schemas/block.ts'
import type { Gap, Position } from '../schemas/position.ts'

/**
 * The ordered, durable record of blocks, for its readers. The embedded log is `journal/`; a Kafka topic fits the
 * same port.
 *
 * Implementers must honour: offsets of a partition grow, and may leave some out; a block is visible to readers only when it
 * is durable; what was visible once stays so until trimmed, or is named as a gap.
 *
 * Readers must honour: what comes after offset `n` begins at `n + 1` or behind it. They go on from the `to` of what they read.
 */
export interface LogReader {
  /** Whether messages and blocks may stand in it several times, so that readers must drop repeats (repeats.ts). */
  readonly repeats?: boolean
  /** The partitions there are to read, ascending; each takes appends. */
  partitions(): readonly number[]
  /** Offset of the last durable block of `partition`, −1 when there is none. */
  end(partition: number): number
  /** Offset before the first block kept of `partition`: everything at or below it is trimmed. −1 when nothing is. */
  start(partition: number): number
  /**
   * The blocks of `partition` after offset `after`, in order, at most `blocksMax` and a few MiB; none at the end. Gaps met
   * on the way come with them, so `to` (the offset up to which this answer speaks) can exceed the last block's.
   * Throws `E_TRIMMED` when `after` lies before `start(partition)`.
   */
  read(partition: number, after: number, blocksMax: number): Promise<LogSlice>
  /** Says that the lake holds every block that `position` includes. */
  covered(position: Position): void
  /** Forgets blocks that `position` includes, as many as can be without touching others. May keep some of them. */
  trim(position: Position): Promise<void>
  /**
   * Sees to it that `trim` can forget everything that is durable now, and resolves with where that ends. Absent where each block
   * can be trimmed alone.
   */
  cut?(): Promise<Position>
  /** Calls `fn` after each time that an end grew or `state()` changed; the result unsubscribes. */
  onAppend(fn: () => void): () => void
  state(): LogState
  close(): Promise<void>
}

/** The log, for the appending side: the collector. */
export interface Log extends LogReader {
  /**
   * Appends one encoded block (`BlockEncoder`; 1 to `BLOCK_MESSAGES_LIMIT` messages) to `partition` and resolves with its
   * offset when it is durable. Appends to one partition are durable in the order of the calls. While the disk is full it
   * waits; `state()` says so.
   *
   * When one fails, every later one of its partition fails too that was asked for before that was
   * told: of an agent's numbers none is durable above one that is not.
   */
  append(partition: number, payload: Uint8Array): Promise<number>
  /** What a right clock shows at least: what it showed before and what blocks say, leaps ahead damped (log-time.ts). */
  leastClockMs(): number
  /** As in `state()`. */
  pendingBytes(): number
  uncoveredBytes(): number
}

/** What one `read` gives. */
export interface LogSlice {
  readonly blocks: readonly Block[]
  readonly gaps: readonly Gap[]
  /** Offset up to which this answer speaks; where the next read begins. */
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
  /** Bytes that are durable and not yet in the lake: what grows when sealing falls behind. */
  readonly uncoveredBytes: number
  /** Ranges that could not be read, found at start-up or while reading. */
  readonly gaps: readonly Gap[]
}
