import {
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

/** A key without a message for so long is called silent. */
export const SILENT_MS = 5 * 60_000

export type State = 'ok' | 'busy' | 'silent'

/** What the table of the home page says of one key. */
export interface Row {
  readonly id: string
  readonly key: readonly string[]
  readonly text: string
  readonly state: State
  readonly lastMs: number
  /** Means of the newest bucket, per gauge; null where it is silent. */
  readonly now: readonly (number | null)[]
  readonly peak: { readonly value: number; readonly time: string; readonly source: string | null } | null
  /** Of the first gauge, the last hour. */
  readonly spark: readonly (number | null)[]
}

export interface Known {
  readonly keys: readonly Summary[]
  readonly day: readonly Stats[]
  /** Of the last week. */
  readonly week: readonly Stats[]
  readonly hour: SeriesPage | null
  readonly newest: Newest
}

export function rowsOf(view: View, known: Known, nowMs: number): Row[] {
  const byId = <T extends { readonly [name: string]: unknown }>(rows: readonly T[]) =>
    new Map(rows.map((row) => [keyId(keyOf(view, row)), row]))
  const [day, week] = [byId(known.day), byId(known.week)]
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
    return {
      id,
      key,
      text: key.map(visible).join(' · '),
      state: isSilent ? 'silent' : isBusy(now[0] ?? null, figures(week.get(id) ?? {}, first)) ? 'busy' : 'ok',
      lastMs,
      now,
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

/** Busy by its own history: a minute whose mean is above 95 % of what was measured in a week, by a tenth at least. */
function isBusy(now: number | null, { p95, mean }: { readonly [field: string]: unknown }): boolean {
  return now !== null && typeof p95 === 'number' && typeof mean === 'number' && now > p95 && now > mean * 1.1
}

/** The value by which a column sorts a row. */
export function sortValue(row: Row, by: string): string | number | null {
  if (by === 'state') return { silent: 0, busy: 1, ok: 2 }[row.state]
  if (by === 'peak') return row.peak?.value ?? null
  if (by === 'last') return row.lastMs
  if (by.startsWith('now.')) return row.now[Number(by.slice(4))] ?? null
  return row.text
}
