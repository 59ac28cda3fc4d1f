import type { CellRow, GaugeAnswer } from '../schemas/cell.ts'
import type { Gap, Position } from '../schemas/position.ts'
import type { View } from '../schemas/view.ts'

/**
 * Every question serving can be asked, answered by `startAnswers` from batch cells, ticks and open cells, and put on the
 * wire by the HTTP API. Times are milliseconds since 1970; ranges `[fromMs, toMs)` are whole minutes.
 */
export interface Answers {
  readonly view: View
  services(): ServiceSummary[]
  /** Null when the service is unknown. */
  stats(key: string, range: Range): Stats | null
  /** Stats of every service with at least one message in the range, by key as UTF-8 bytes. */
  analytics(range: Range): Stats[]
  /** Merged cells by minute; null when the service is unknown. */
  minutes(key: string, range: Range): CellRow[] | null
  /**
   * Merged cells by buckets of `stepMs`, a multiple of the view's own that divides a day or is a number of days; each
   * under the start of its bucket in UTC. Null when the service is unknown.
   */
  series(key: string, range: Range, stepMs: number): CellRow[] | null
  /** Batch cells of one published version alone; throws `E_VERSION_GONE` naming the oldest kept. */
  statsAsOf(key: string, range: Range, asOf: { version: number } | { timeMs: number }): Promise<Stats | null>
  /** What the answers stand on now. */
  basis(): Basis
}

export interface Range {
  readonly fromMs: number
  readonly toMs: number
}

export interface ServiceSummary {
  readonly key: string
  readonly firstMinuteMs: number
  readonly lastMinuteMs: number
  readonly messages: number
}

export interface Stats extends Range {
  readonly key: string
  readonly messages: number
  /** In the order of the view's gauges. */
  readonly gauges: readonly GaugeAnswer[]
  readonly answeredBy: { readonly batch: number; readonly realtime: number }
  readonly basis: Basis
  readonly complete: boolean
  /** Why it is not complete: damaged or missing ranges and reasons; empty when complete. */
  readonly gaps: readonly AnswerGap[]
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
  readonly files: number
  readonly ticks: readonly { readonly partition: number; readonly from: number; readonly to: number }[]
  /** Lasting damage, listed in every answer. */
  readonly gaps: readonly Gap[]
}
