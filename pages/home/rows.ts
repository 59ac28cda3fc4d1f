import {
  type Cell,
  column,
  figures,
  keyId,
  keyOf,
  type Newest,
  type SeriesPage,
  type Stats,
  type Summary,
  type View,
} from '../api/types.ts'
import { visible } from '../names/visible.ts'
import { ago, lengthText } from '../time/words.ts'

/** A key without a message for so long is called silent. */
export const SILENT_MS = 5 * 60_000
const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS
/** Cells that a line of the newest values has at least. */
const SPARK_CELLS = 30

export type State = 'ok' | 'busy' | 'silent'
export const STATES: readonly State[] = ['silent', 'busy', 'ok']

/** How much of the past the line of the newest values shows. */
export const sparkMs = ({ bucket_ms }: View) => Math.max(HOUR_MS, SPARK_CELLS * bucket_ms)

/** Where today begins in cells of a view: with the first cell that begins today, else with the one that goes on. */
export function todayMs(startOfDayMs: number, { bucket_ms }: View, nowMs: number): number {
  const first = Math.ceil(startOfDayMs / bucket_ms) * bucket_ms
  return first <= nowMs ? first : Math.floor(nowMs / bucket_ms) * bucket_ms
}

/** When the newest message came, as far as its cell tells. */
export function lastText(lastMs: number, { bucket_ms }: View, nowMs: number): string {
  const pastMs = nowMs - lastMs
  if (bucket_ms > MINUTE_MS) return pastMs < bucket_ms ? `within ${lengthText(bucket_ms)}` : ago(pastMs)
  return pastMs < 2 * MINUTE_MS ? 'now' : ago(pastMs)
}

/** The highest value of a day. */
export interface Peak {
  readonly value: number
  readonly time: string
  readonly source: string | null
}

/** What the table of the home page says of one key. */
export interface Row {
  readonly id: string
  readonly key: readonly string[]
  readonly text: string
  readonly state: State
  /** Silent, and not for so long that it is no news. */
  readonly fell: boolean
  readonly lastMs: number
  /** Means of the newest bucket, per gauge; null where it is silent. */
  readonly now: readonly (number | null)[]
  /** Which gauges are high by their own history. */
  readonly busy: readonly boolean[]
  /** Place among the others by how soon one wants to know: the smaller the sooner. */
  readonly rank: number
  readonly peak: Peak | null
  /** Whether the peak is known, or known not to be. */
  readonly hasDay: boolean
  /** Of the first gauge, the last hour. */
  readonly spark: readonly (number | null)[]
}

export interface Known {
  readonly keys: readonly Summary[]
  /** Null while it is not known. */
  readonly day: readonly Stats[] | null
  /** Of the last week. */
  readonly week: readonly Stats[]
  readonly hour: SeriesPage | null
  readonly newest: Newest
  /** The cells that the newest followed: they are whole. */
  readonly whole: Newest
}

export function rowsOf(view: View, known: Known, nowMs: number): Row[] {
  const byId = <T extends { readonly [name: string]: unknown }>(rows: readonly T[]) =>
    new Map(rows.map((row) => [keyId(keyOf(view, row)), row]))
  const [day, week] = [byId(known.day ?? []), byId(known.week)]
  const hour = new Map((known.hour?.keys ?? []).map((row) => [keyId(keyOf(view, row)), row]))
  const first = view.gauges[0]!.name
  const ids = byId(known.keys)
  // A service that sends for the first time is there before the list is asked for again.
  const keys = [
    ...ids.values(),
    ...[...known.newest].flatMap(([id, cell]) =>
      ids.has(id) ? [] : [{ ...cell, last_minute: cell.time_stamp }],
    ),
  ]
  return keys.map((summary) => {
    const key = keyOf(view, summary)
    const id = keyId(key)
    const cell = known.newest.get(id)
    const lastMs = Math.max(Date.parse(String(summary.last_minute)), cell ? Date.parse(cell.time_stamp) : 0)
    const isSilent = nowMs - (lastMs + view.bucket_ms) > SILENT_MS
    const now = view.gauges.map(({ name }) =>
      isSilent || cell === undefined ? null : ((figures(cell, name).mean ?? null) as number | null),
    )
    const today = figures(day.get(id) ?? {}, first)
    const series = hour.get(id)
    // The newest cell may hold one message of one source yet: the one before tells more.
    const before = known.whole.get(id)
    const judged = cell !== undefined && isNext(before, cell, view) ? before : cell
    const busy = view.gauges.map(
      ({ name, unit }) =>
        !isSilent && isBusy(figures(judged ?? {}, name).mean, figures(week.get(id) ?? {}, name), unit),
    )
    const state = isSilent ? 'silent' : busy.includes(true) ? 'busy' : 'ok'
    return {
      id,
      key,
      text: key.map(visible).join(' · '),
      state,
      fell: isSilent && nowMs - lastMs < DAY_MS,
      busy,
      rank: rankOf(state, nowMs - lastMs),
      lastMs,
      now,
      hasDay: known.day !== null,
      peak:
        typeof today.max === 'number'
          ? {
              value: today.max,
              time: String(today.max_time),
              source: view.source === null ? null : ((today[`max_${view.source}`] ?? null) as string | null),
            }
          : null,
      spark: series === undefined ? [] : column(series, first, 'mean'),
    }
  })
}

const isNext = (before: Cell | undefined, cell: Cell, { bucket_ms }: View): before is Cell =>
  before !== undefined && Date.parse(before.time_stamp) + bucket_ms === Date.parse(cell.time_stamp)

/** So much above the mean, in points, is much of what is told in percent: a disk that fills steadily is always at its highest. */
const POINTS_MIN = 5

/**
 * Busy by its own history: a minute whose mean is above 95 % of what was measured in a week, and above the mean by a tenth at least,
 * of percent by some points too.
 */
function isBusy(now: unknown, { p95, mean }: { readonly [field: string]: unknown }, unit: string): boolean {
  if (typeof now !== 'number' || typeof p95 !== 'number' || typeof mean !== 'number') return false
  return now > p95 && now - mean > Math.max(Math.abs(mean) * 0.1, unit === '%' ? POINTS_MIN : 0)
}

/** What fell silent within a day comes first, then what is busy; what is silent for longer is no news. */
function rankOf(state: State, silentMs: number): number {
  if (state === 'silent') return silentMs < DAY_MS ? 0 : 3
  return state === 'busy' ? 1 : 2
}

/** The value by which a column sorts a row. */
export function sortValue(row: Row, by: string): string | number | null {
  if (by === 'state') return row.rank
  if (by === 'peak') return row.peak?.value ?? null
  if (by === 'last') return row.lastMs
  if (by.startsWith('now.')) return row.now[Number(by.slice(4))] ?? null
  return row.text
}
