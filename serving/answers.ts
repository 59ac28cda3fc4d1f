import type { FileColumn } from '../lake/parquet/cells.ts'
import type { CellColumn } from '../schemas/cell-column.ts'
import type { KeySummary } from '../schemas/cell-rows.ts'
import type { Cells } from '../schemas/cells.ts'
import type { Dataset } from '../schemas/dataset.ts'
import type { GaugeAnswer } from '../schemas/gauge-answer.ts'
import type { Gap, Position } from '../schemas/position.ts'
import type { View } from '../schemas/view.ts'

/**
 * Every question serving can be asked, of any view by its name, answered by `startAnswers` from batch cells, ticks and open
 * cells, and put on the wire by the HTTP API. Times are milliseconds since 1970; ranges `[fromMs, toMs)`. Keys are joined
 * (`joinKey`). With `explain` an answer says its parts. A view that nobody knows throws `E_NOT_FOUND`; one that has to be published first `E_UNPUBLISHED`.
 */
export interface Answers {
  /** The views as they are configured, with their datasets. */
  views(): readonly ViewInfo[]
  keys(view: string): KeysAnswer
  /** What is known of every key, in no order. */
  summaries(view: string): readonly KeySummary[]
  /** Null when the key is unknown and nothing is missing that may hold it. */
  stats(view: string, key: string, range: Range, explain?: boolean): Stats | null
  /**
   * Stats of those of `keys`, absent of all, that have messages in the range, by key as UTF-8 bytes. Where they are many other work goes first in between: then each key's stats are of one moment, all keys' of
   * several.
   */
  analytics(
    view: string,
    range: Range,
    keys?: readonly string[],
    options?: AnalyticsOptions,
  ): Promise<StatsAnswer>
  /** Whether what is answered now about a range is whole. */
  whole(view: string, range: Range): Whole
  /** Merged cells in the view's own buckets; null as in `stats`. */
  cells(view: string, key: string, range: Range): CellsAnswer | null
  /**
   * Merged cells by buckets of `stepMs`, a multiple of the view's own that divides a day or is a number of days; each
   * under the start of its bucket in UTC and without who measured extremes. Null as in `stats`.
   */
  series(view: string, key: string, range: Range, stepMs: number, explain?: boolean): CellsAnswer | null
  /** The keys that may have messages in the range, and for which `wanted` holds, by UTF-8 bytes. */
  keysWithin(view: string, range: Range, wanted?: (key: string) => boolean): readonly string[]
  /** The same of each of `keys`, by key as UTF-8 bytes. Throws `E_PARAMETER` when they are more than `CELLS_MAX`. */
  seriesOfAll(view: string, keys: readonly string[], range: Range, stepMs: number): CellsAnswer
  /** Batch cells of one published version alone; throws `E_VERSION_GONE` naming the oldest kept. */
  statsAsOf(view: string, key: string, range: Range, asOf: AsOf): Promise<Stats | null>
  /** The same of every key that is `wanted` and has messages in the range, by key as UTF-8 bytes. */
  analyticsAsOf(
    view: string,
    range: Range,
    asOf: AsOf,
    wanted: (key: string) => boolean,
  ): Promise<StatsAnswer>
  /** Cells of one published version alone, in buckets of `stepMs`, absent: in its own; null as in `stats`. */
  cellsAsOf(view: string, key: string, range: Range, asOf: AsOf, stepMs?: number): Promise<CellsAnswer | null>
  /**
   * Reads what a question about the range needs from the lake, where the index does not hold it: the minutes of dates
   * before `serving.index_days`, for buckets of `stepMs`. The question must follow at once.
   */
  reach(view: string, range: Range, stepMs?: number): Promise<void>
  /**
   * What the figures of `key`, or of all keys, in a closed range depend on: equal as long as they are. Null where speed holds
   * something of it, or something may be missing.
   */
  fingerprint(view: string, range: Range, key?: string): string | null
  /**
   * A Parquet file piece by piece, each of `parts` a row group. Where there are other threads it is made in one of them; nothing is
   * computed before the piece in front is taken.
   */
  parquet(columns: readonly FileColumn[], parts: Iterable<readonly CellColumn[]>): AsyncIterable<Uint8Array>
  /** What the answers of a view stand on now. */
  basis(view: string): Basis
}

export interface AnalyticsOptions {
  /** Of the first keys alone once there are so many. */
  readonly enough?: number
  /**
   * Of each key no more than tells this field, like `cpu.max`: its stats are those of a narrower view, which they name, or of the whole
   * one where that has no such field. It is what many keys are sorted by, of which few are told.
   */
  readonly path?: string
}

/** Buckets of all keys that one answer about several may have. */
export const CELLS_MAX = 200_000

export type AsOf = { readonly version: number } | { readonly timeMs: number }

export interface ViewInfo {
  readonly view: View
  readonly dataset: Dataset
  /** Null before the first publish. */
  readonly version: number | null
}

export interface Range {
  readonly fromMs: number
  readonly toMs: number
}

/** Whether an answer holds everything accepted longer ago than the freshness bound. */
export interface Whole {
  readonly complete: boolean
  /** Why it is not complete: damaged or missing ranges and reasons; empty when complete. */
  readonly gaps: readonly AnswerGap[]
}

export interface KeysAnswer extends Whole {
  /** By key as UTF-8 bytes. */
  readonly keys: readonly KeySummary[]
}

export interface StatsAnswer extends Whole {
  readonly stats: readonly Stats[]
}

export interface CellsAnswer extends Whole {
  readonly cells: Cells
  readonly basis: Basis
  readonly parts?: Parts
}

export interface Stats extends Range, Whole {
  /** The definition that it follows. */
  readonly view: View
  readonly key: string
  readonly messages: number
  /** In the order of the view's gauges. */
  readonly gauges: readonly GaugeAnswer[]
  readonly answeredBy: { readonly batch: number; readonly realtime: number }
  readonly basis: Basis
  readonly parts?: Parts
}

/** What an answer was put together from; the messages of the parts add up to those of the answer. */
export interface Parts {
  /** Files of the published version that gave messages. */
  readonly files: readonly (Sized & { readonly path: string })[]
  readonly ticks: readonly (Sized & Blocks & { readonly path: string })[]
  /** What speed holds in memory beyond the ticks. */
  readonly open: readonly (Blocks & { readonly messages: number })[]
}

/** Rows and bytes of a file, of all keys; and the messages that it gave to the answer. */
interface Sized {
  readonly rows: number | null
  readonly bytes: number | null
  readonly messages: number
}

/** Blocks `(from, to]` of a partition of the log. */
export interface Blocks {
  readonly partition: number
  readonly from: number
  readonly to: number
}

export interface AnswerGap {
  readonly reason: string
  readonly partition: number
  /** Blocks `(from, to]`; `to` is null when it is not known. */
  readonly from: number
  readonly to: number | null
  readonly fromMs: number | null
  readonly toMs: number | null
}

/** The set that answers fold over: exactly the messages at or below `position`. */
export interface Basis {
  readonly position: Position
  readonly tidemark: Position
  /** Null before the first publish. */
  readonly viewVersion: number | null
  readonly run: string | null
  readonly definition: string
  readonly messagesVersion: number | null
  readonly ticks: readonly Blocks[]
  readonly open: readonly Blocks[]
  /** Lasting damage, listed in every answer. */
  readonly gaps: readonly Gap[]
}
