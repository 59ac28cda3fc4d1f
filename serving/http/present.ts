import type { CellRow, GaugeAnswer } from '../../schemas/cell.ts'
import type { RunRecord } from '../../schemas/ports/layers.ts'
import type { View } from '../../schemas/view.ts'
import { cellToValues, viewColumns } from '../../schemas/view-table.ts'
import type { AnswerGap, ServiceSummary, Stats } from '../answers.ts'

/** Answers as JSON objects of the API. Times are ISO 8601 in UTC with milliseconds. */

export const iso = (ms: number) => new Date(ms).toISOString()
const isoOrNull = (ms: number | null) => (ms === null ? null : iso(ms))

export function presentStats(view: View, stats: Stats, explain: boolean) {
  const { basis, gaps } = stats
  return {
    service: stats.key,
    from: iso(stats.fromMs),
    to: iso(stats.toMs),
    messages: stats.messages,
    ...Object.fromEntries(view.gauges.map(({ gauge }, g) => [gauge, presentGauge(stats.gauges[g]!)])),
    answered_by: stats.answeredBy,
    tidemark: basis.tidemark,
    view_version: basis.viewVersion,
    complete: stats.complete,
    ...presentGaps([...gaps, ...basis.gaps.filter((gap) => !gaps.includes(gap))]),
    ...(explain && {
      explain: {
        position: basis.position,
        run: basis.run,
        definition: basis.definition,
        lake_version: basis.messagesVersion,
        files: basis.files,
        ticks: basis.ticks,
      },
    }),
  }
}

function presentGauge({ total, mean, max, maxTimeMs, maxHost }: GaugeAnswer) {
  return { total, mean, max, max_time: isoOrNull(maxTimeMs), max_host: maxHost }
}

export function presentGaps(gaps: readonly AnswerGap[]) {
  if (gaps.length === 0) return {}
  return {
    gaps: gaps.map(({ reason, partition, from, to, fromMs, toMs }) => {
      return { reason, partition, from, to, from_time: isoOrNull(fromMs), to_time: isoOrNull(toMs) }
    }),
  }
}

export function presentService({ key, firstMinuteMs, lastMinuteMs, messages }: ServiceSummary) {
  return { service: key, first_minute: iso(firstMinuteMs), last_minute: iso(lastMinuteMs), messages }
}

/** A cell in the view's published columns. */
export function presentRow(view: View, row: CellRow): Record<string, string | number> {
  const values = cellToValues(view, row)
  return Object.fromEntries(
    viewColumns(view).map(({ name, type }, i) => [
      name,
      type === 'timestamp' ? iso(values[i] as number) : values[i]!,
    ]),
  )
}

/** A run as the API shows it. */
export interface PresentedRun {
  readonly run: string
  readonly view: string
  readonly started: string
  readonly ended: string
  readonly result: RunRecord['result']
  readonly error: string | null
  readonly full: boolean
  readonly engine: string
  readonly definition: string
  readonly messages_version: number
  readonly view_version: number | null
  readonly tidemark: { readonly [partition: number]: number }
  readonly hours: number
  readonly files: number
  readonly rows: number
}

export function presentRun(record: RunRecord): PresentedRun {
  const { startedMs, endedMs, messagesVersion, viewVersion, ...same } = record
  return {
    ...same,
    started: iso(startedMs),
    ended: iso(endedMs),
    messages_version: messagesVersion,
    view_version: viewVersion,
  }
}

/** The inverse, for commands that ask a running process. */
export function parseRun(presented: PresentedRun): RunRecord {
  const { started, ended, messages_version, view_version, ...same } = presented
  return {
    ...same,
    startedMs: Date.parse(started),
    endedMs: Date.parse(ended),
    messagesVersion: messages_version,
    viewVersion: view_version,
  }
}
