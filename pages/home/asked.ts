import { ask } from '../api/client.ts'
import type { Page, SeriesPage, Stats, Summary, View } from '../api/types.ts'
import { useAnswer } from '../api/use-answer.ts'
import { startOfDay } from '../time/range.ts'
import { sparkMs, todayMs } from './rows.ts'

/** Keys that are listed: one page of the API. */
export const KEYS_MAX = 2_000
const EVERY_MS = 15_000
const WEEK_EVERY_MS = 600_000
const MINUTE_MS = 60_000
const WEEK_MS = 7 * 24 * 60 * MINUTE_MS

type Listed = Page & { readonly keys: readonly Summary[] }
type Counted = Page & { readonly keys: readonly Stats[] }

/** What the home page asks the API of a view: its keys, their day, last hour and week; all at once, and again as time goes on. */
export function useHome(view: View, zone: string, q: string | undefined) {
  const path = `/v1/views/${view.name}`
  const page = { limit: KEYS_MAX, q }
  const asking = { everyMs: EVERY_MS, subject: view.name }
  const keys = useAnswer(`keys ${path} ${q}`, (signal) => ask<Listed>(`${path}/keys`, page, signal), asking)
  const isEmpty = q === undefined && keys.data !== null && keys.data.keys.length === 0
  const asked = isEmpty ? null : path
  const day = useAnswer(
    asked && `day ${asked} ${q} ${zone}`,
    (signal) => {
      const now = Date.now()
      const from = todayMs(startOfDay(now, zone), view, now)
      return ask<Counted>(`${path}/analytics`, { ...page, from, to: now }, signal)
    },
    asking,
  )
  const hour = useAnswer(
    asked && `hour ${asked} ${q}`,
    (signal) => {
      const now = Date.now()
      const step = Math.max(MINUTE_MS, view.bucket_ms)
      const fields = `${view.gauges[0]!.name}.mean`
      return ask<SeriesPage>(
        `${path}/series`,
        { ...page, from: now - sparkMs(view), to: now, step, fields },
        signal,
      )
    },
    asking,
  )
  const week = useAnswer(
    asked && view.measures.includes('quantiles') ? `week ${asked} ${q}` : null,
    (signal) => {
      const now = Date.now()
      return ask<Counted>(`${path}/analytics`, { ...page, from: now - WEEK_MS, to: now }, signal)
    },
    { everyMs: WEEK_EVERY_MS, subject: view.name },
  )
  return { keys, day, hour, week, isEmpty }
}
