import type { KeySummary, WantedKeys } from '../cell-rows.ts'
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
  /** The offset before the log's first block, its last durable one, and since when speed has not been at it under `hash`; null when it is. */
  lag(
    hash: string,
    partition: number,
  ): { readonly start: number; readonly end: number; readonly behindSinceMs: number | null }
  /** Every partition the log holds. */
  partitions(): number[]
}

export interface OpenPart {
  readonly to: number
  /** Damage met in `(from, to]`. */
  readonly gaps: readonly Gap[]
  /** The cells of `keys` in `[fromMs, toMs)`, as lists to merge. */
  cells(keys: WantedKeys, fromMs: number, toMs: number): readonly Cells[]
  /** What is known of each key; one that is in several parts comes several times. */
  keys(): Iterable<KeySummary>
  /** The same of one key; nothing where it has no cells. */
  summaries(key: string): readonly KeySummary[]
}

/** Batch → speed: commit ticks of everything durable in the log at the call. Resolves with why it could not; null when it did. */
export interface Ticker {
  tick(): Promise<string | null>
}

/** Batch → lake writer: seal everything durable in the log into `messages` now. */
export interface Sealer {
  seal(): Promise<void>
}

/** Serving → batch: runs that people ask for. */
export interface RunStarter {
  /**
   * Starts a run over everything accepted before the call; its id, and a promise of its records, one a view, when it ended.
   * Throws `E_RUN_ACTIVE` while another run is going on.
   */
  start(options: { full: boolean }): { readonly run: string; readonly ended: Promise<readonly RunRecord[]> }
  /** The run that is going on or was recorded; null when there is none of that id. */
  find(run: string): Promise<RunState | null>
  /** Cancels a run that is going on: it publishes nothing more. Whether there was one of that id. */
  cancel(run: string): boolean
}

/** What is known of a run, while it goes on and afterwards. */
export interface RunState {
  readonly run: string
  readonly state: 'running' | 'ended'
  readonly full: boolean
  readonly startedMs: number
  /** What it does now; null when it ended. */
  readonly stage: RunStage | null
  /** Dates computed and in all, of all views planned so far. */
  readonly progress: { readonly done: number; readonly total: number } | null
  /** Records of the views that are done. */
  readonly records: readonly RunRecord[]
}

export type RunStage = 'tick' | 'seal' | 'plan' | 'compute' | 'publish' | 'record'

/** Told whenever a layer committed to the lake, so that others look at once instead of at their next poll. */
export interface Wake {
  notify(): void
  subscribe(fn: () => void): () => void
}

/** Files with their rows and bytes. */
export interface Amount {
  readonly files: number
  readonly rows: number
  readonly bytes: number
}

/** A stage of a run, of one view. */
export interface StageRecord {
  readonly stage: 'plan' | 'map' | 'reduce' | 'publish'
  /** What it was given: plan the whole tables, map files of messages, reduce files that hours are carried from, publish new files. */
  readonly inputs: Amount
  /** What it gave: plan what is to be read, reduce the cells of the new files, publish those of the whole version. Null: not known. */
  readonly rows: number | null
  readonly bytes: number | null
  /** Dates that a run before had computed, and that were not computed again. */
  readonly reused: number
  /** Null where it was not timed by itself. */
  readonly seconds: number | null
  /** The stage that holds its time too, because the engine did both as one step; null where it has its own. */
  readonly joined: StageRecord['stage'] | null
  /** Why it failed; null when it is done. */
  readonly error: string | null
}

/** One execution of the batch layer, as far as it concerns one view. */
export interface RunRecord {
  readonly run: string
  readonly view: string
  readonly startedMs: number
  readonly endedMs: number
  readonly result: 'published' | 'nothing_new' | 'lost_race' | 'failed' | 'cancelled'
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
  /** In the order in which they were done; none in records of before there were any. */
  readonly stages: readonly StageRecord[]
  /** What is to be said of a definition that changed, in words; null when it did not. */
  readonly report: string | null
}
