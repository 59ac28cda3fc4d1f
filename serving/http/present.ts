import type { NumberColumn } from '../../schemas/cell-column.ts'
import type { KeySummary } from '../../schemas/cell-rows.ts'
import { type Cells, keyAt, timesOf } from '../../schemas/cells.ts'
import { answerFields, answering, type GaugeAnswer } from '../../schemas/gauge-answer.ts'
import { splitKey } from '../../schemas/key.ts'
import { ANSWER_MS_MAX, ANSWER_MS_MIN, DAY_MS, MINUTE_MS, utcDate } from '../../schemas/time.ts'
import type { View } from '../../schemas/view.ts'
import { layoutOf } from '../../schemas/view-columns.ts'
import type { AnswerGap, Basis, Parts, Stats, Whole } from '../answers.ts'

/** Answers as JSON objects of the API. Times are ISO 8601 in UTC with milliseconds. */

const digits = (places: number) =>
  Array.from({ length: 10 ** places }, (_, n) => String(n).padStart(places, '0'))
const [DIGITS_2, DIGITS_3] = [digits(2), digits(3)] as const

/**
 * Writes times; a bucket may begin before, or end behind, what can be written with four digits of a year. The date is kept, for the
 * next time is mostly of the same.
 */
export function isoTimes(): (ms: number) => string {
  let day = Number.NaN
  let date = ''
  return (asked) => {
    const ms = Math.min(Math.max(asked, ANSWER_MS_MIN), ANSWER_MS_MAX)
    const own = Math.floor(ms / DAY_MS)
    if (own !== day) {
      date = utcDate(own * DAY_MS)
      day = own
    }
    const within = Math.floor(ms - own * DAY_MS)
    const minute = Math.floor(within / MINUTE_MS)
    const second = Math.floor((within % MINUTE_MS) / 1_000)
    const [hh, mm] = [DIGITS_2[Math.floor(minute / 60)]!, DIGITS_2[minute % 60]!]
    return `${date}T${hh}:${mm}:${DIGITS_2[second]!}.${DIGITS_3[within % 1_000]!}Z`
  }
}

export const iso = isoTimes()
const isoOrNull = (ms: number | null) => (ms === null ? null : iso(ms))

/** Significant digits that answers write: what sums in another order have too. */
const DIGITS = 15

/** A double as answers write it. */
export function rounded(value: number): number {
  if (Number.isInteger(value)) return value
  // Six decimals and nine digits before them are fewer than those, and sooner found out.
  if (Math.abs(value) < 1e9 && Math.round(value * 1e6) / 1e6 === value) return value
  return Number(value.toPrecision(DIGITS))
}

/** The values of a key by the names of the view's key columns. */
export function presentKey(view: View, key: string): { [column: string]: string } {
  const values = splitKey(key)
  return Object.fromEntries(view.key.map((column, k) => [column, values[k]!]))
}

/** With `explain` where the answer has its parts. */
export function presentStats(stats: Stats) {
  const { view, basis, gaps } = stats
  return {
    ...presentKey(view, stats.key),
    from: iso(stats.fromMs),
    to: iso(stats.toMs),
    messages: stats.messages,
    ...Object.fromEntries(
      view.gauges.map(({ gauge }, g) => [gauge, presentGauge(view, g, stats.gauges[g]!)]),
    ),
    answered_by: stats.answeredBy,
    tidemark: basis.tidemark,
    view_version: basis.viewVersion,
    complete: stats.complete,
    ...presentGaps([...gaps, ...basis.gaps.filter((gap) => !gaps.includes(gap))]),
    ...(stats.parts && { explain: presentExplain(basis, stats.parts) }),
  }
}

/** What an answer stands on, and what it was put together from. */
export function presentExplain(basis: Basis, { files, ticks, open }: Parts) {
  return {
    position: basis.position,
    run: basis.run,
    view_version: basis.viewVersion,
    definition: basis.definition,
    lake_version: basis.messagesVersion,
    files,
    ticks,
    open,
  }
}

function presentGauge(view: View, g: number, answer: GaugeAnswer) {
  return Object.fromEntries(
    answerFields(view, g).map(({ name, type }, i) => {
      const value = answer[i]!
      if (value === null || typeof value === 'string') return [name, value]
      return [name, type === 'timestamp' ? iso(value) : rounded(value)]
    }),
  )
}

/** Tells of any row of `cells` its key, the start of its bucket, and of each gauge the same fields as `presentStats`. */
export function presentingCells(cells: Cells): (i: number) => object {
  const { view, columns } = cells
  const counts = (columns[layoutOf(view).messages] as NumberColumn).values
  const times = timesOf(cells)
  const answerOf = answering(cells)
  return (i) => {
    const answers = answerOf(i)
    return {
      ...presentKey(view, keyAt(cells, i)),
      time_stamp: iso(times[i]!),
      messages: counts[i]!,
      ...Object.fromEntries(view.gauges.map(({ gauge }, g) => [gauge, presentGauge(view, g, answers[g]!)])),
    }
  }
}

export function presentGaps(gaps: readonly AnswerGap[]) {
  if (gaps.length === 0) return {}
  return {
    gaps: gaps.map(({ reason, partition, from, to, fromMs, toMs }) => {
      return { reason, partition, from, to, from_time: isoOrNull(fromMs), to_time: isoOrNull(toMs) }
    }),
  }
}

/** Whether an answer is whole, as every answer says it. */
export function presentWhole({ complete, gaps }: Whole) {
  return { complete, ...presentGaps(gaps) }
}

export function presentSummary(view: View, { key, firstMs, lastMs, messages }: KeySummary) {
  return { ...presentKey(view, key), first_minute: iso(firstMs), last_minute: iso(lastMs), messages }
}
