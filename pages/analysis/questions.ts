import { ask } from '../api/client.ts'
import { keyParams, type Series, type SeriesPage, type Stats, type View } from '../api/types.ts'
import { type Bucket, bucketsOf, fittingStep, STEPS, type Step } from '../time/buckets.ts'
import type { Range } from '../time/range.ts'

/** What the analysis of one key asks the API. */

/** About one point for two pixels of a wide page. */
const POINTS_MAX = 600
/** Lines that can still be told apart. */
export const LINES_MAX = 12
/** Rows of the table that says what a chart shows. */
const ROWS_MAX = 40

const MINUTE_MS = 60_000
const DAY_MS = 86_400_000
const STEPS_MS = [1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1_440].map((minutes) => minutes * MINUTE_MS)

/** The shortest step of the API that makes at most so many buckets. */
export function chartStep(lengthMs: number, bucketMs: number): number {
  const step = STEPS_MS.find((ms) => ms % bucketMs === 0 && lengthMs / ms <= POINTS_MAX)
  return step ?? Math.ceil(lengthMs / POINTS_MAX / DAY_MS) * DAY_MS
}

export const askStats = (
  view: View,
  key: readonly string[],
  { fromMs, toMs }: Pick<Range, 'fromMs' | 'toMs'>,
  explain: boolean,
  signal: AbortSignal,
) =>
  ask<Stats>(
    `/v1/views/${view.name}/stats`,
    { ...keyParams(view, key), from: fromMs, to: toMs, explain: explain ? 1 : undefined },
    signal,
  )

/** The period right before, of the same length. */
export const periodBefore = ({ fromMs, toMs }: Pick<Range, 'fromMs' | 'toMs'>) => ({
  fromMs: 2 * fromMs - toMs,
  toMs: fromMs,
})

/** One key in columns. */
export function askSeries(
  view: View,
  key: readonly string[],
  { fromMs, toMs }: Pick<Range, 'fromMs' | 'toMs'>,
  signal: AbortSignal,
): Promise<Series> {
  const about = { from: fromMs, to: toMs, step: chartStep(toMs - fromMs, view.bucket_ms) }
  return ask<Series>(`/v1/views/${view.name}/series`, { ...keyParams(view, key), ...about }, signal)
}

/** The view of a longer key that begins alike, like that of each host of a service. */
export function finerView(views: readonly View[], view: View): View | null {
  const isFiner = (one: View) =>
    one.dataset === view.dataset &&
    one.key.length === view.key.length + 1 &&
    view.key.every((name, k) => one.key[k] === name)
  return views.find(isFiner) ?? null
}

/** Of the keys of a finer view those with the highest maxima. */
export function askFiner(finer: View, view: View, key: readonly string[], range: Range, signal: AbortSignal) {
  const step = chartStep(range.toMs - range.fromMs, Math.max(finer.bucket_ms, view.bucket_ms))
  const fields = [...finer.gauges.map(({ name }) => `${name}.mean`), 'messages'].join()
  const about = {
    from: range.fromMs,
    to: range.toMs,
    step,
    fields,
    sort: `-${finer.gauges[0]!.name}.max`,
    limit: LINES_MAX,
  }
  return ask<SeriesPage>(`/v1/views/${finer.name}/series`, { ...keyParams(view, key), ...about }, signal)
}

/** The step of a chart's table, as the one who asks counts time. */
export function tableStep({ fromMs, toMs }: Range, view: View): Step {
  const step = fittingStep(fromMs, toMs, ROWS_MAX)
  const isFine =
    (view.bucket_ms >= 3_600_000 && step.unit === 'minute') ||
    (view.bucket_ms >= DAY_MS && step.unit === 'hour')
  return isFine ? STEPS.find(({ unit }) => unit === (view.bucket_ms >= DAY_MS ? 'day' : 'hour'))! : step
}

/** The exact figures of every bucket of a chart's table: each is asked for, since no quantile follows from others. */
export async function askBuckets(
  view: View,
  key: readonly string[],
  range: Range,
  zone: string,
  signal: AbortSignal,
) {
  const buckets = bucketsOf(range.fromMs, range.toMs, tableStep(range, view), zone)
  return Promise.all(
    buckets.map(async (bucket): Promise<{ bucket: Bucket; stats: Stats }> => {
      return { bucket, stats: await askStats(view, key, bucket, false, signal) }
    }),
  )
}
