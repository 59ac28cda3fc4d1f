import type { KeySummary } from '../cell-rows.ts'
import type { Cells } from '../cells.ts'
import type { Gap } from '../position.ts'

/**
 * What layers ask of each other in one process. Each is optional in a distributed deployment, where they
 * meet in the log and the lake alone; the composition root joins them.
 */

/** Speed → serving: cells that are folded but not yet in the serving index. */
export interface OpenCells {
  /**
   * The cells of exactly the blocks `(from, to]` of `partition` under the definition `hash`, `to` being as far
   * as speed has folded; null when what speed holds does not continue at `from`. Answers synchronously, so
   * that one query sees one state.
   */
  open(hash: string, partition: number, from: number): OpenPart | null
  /** The log's last durable offset, and since when speed has not been at it under `hash`; null when it is. */
  lag(hash: string, partition: number): { readonly end: number; readonly behindSinceMs: number | null }
  /** Every partition the log holds. */
  partitions(): number[]
}

export interface OpenPart {
  readonly to: number
  /** Damage met in `(from, to]`. */
  readonly gaps: readonly Gap[]
  /** The cells of `key`, or of every key, in `[fromMs, toMs)`, as lists to merge. */
  cells(key: string | null, fromMs: number, toMs: number): readonly Cells[]
  /** What is known of each key; one that is in several parts comes several times. */
  keys(): Iterable<KeySummary>
  /** The same of one key; nothing where it has no cells. */
  summaries(key: string): readonly KeySummary[]
}

/** Batch → lake writer: seal everything durable in the log into `messages` now. */
export interface Sealer {
  seal(): Promise<void>
}

/** Serving → batch: start a run; resolves with its record when it ended. */
export interface RunStarter {
  run(options: { full: boolean }): Promise<RunRecord>
}

/** Told whenever a layer committed to the lake, so that others look at once instead of at their next poll. */
export interface Wake {
  notify(): void
  subscribe(fn: () => void): () => void
}

/** One execution of the batch layer. */
export interface RunRecord {
  readonly run: string
  readonly view: string
  readonly startedMs: number
  readonly endedMs: number
  readonly result: 'published' | 'nothing_new' | 'lost_race' | 'failed'
  readonly error: string | null
  readonly full: boolean
  readonly engine: string
  readonly definition: string
  readonly messagesVersion: number
  /** The version it published, null when none. */
  readonly viewVersion: number | null
  readonly tidemark: { readonly [partition: number]: number }
  readonly hours: number
  readonly files: number
  readonly rows: number
}
