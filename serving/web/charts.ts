import type { Answers, Range, ViewInfo } from '../answers.ts'
import { type SeriesColumns, seriesColumns } from '../http/series.ts'
import { keyText, unitOf } from './figures.ts'

/** What one chart shows: per key the mean and the maximum of one gauge in each bucket of time. */
export interface ChartData {
  readonly gauge: string
  /** What is written behind a value. */
  readonly unit: string
  /** Starts of the buckets, seconds since 1970. */
  readonly t: readonly number[]
  readonly series: readonly {
    readonly key: string
    /** Null where a bucket holds no message: a break in the line. */
    readonly mean: readonly (number | null)[]
    readonly max: readonly (number | null)[]
  }[]
}

/** The charts of every gauge of a view, over the same buckets. */
export async function chartData(
  answers: Answers,
  info: ViewInfo,
  keys: readonly string[],
  range: Range,
  stepMs: number,
): Promise<ChartData[]> {
  const { name } = info.view
  await answers.reach(name, range, stepMs)
  const columns = keys.flatMap((key): { key: string; series: SeriesColumns }[] => {
    const answer = answers.series(name, key, range, stepMs)
    return answer === null ? [] : [{ key, series: seriesColumns(answer.cells, range, stepMs) }]
  })
  return info.view.gauges.map(({ gauge }, g) => ({
    gauge,
    unit: unitOf(info, g),
    t: columns[0]?.series.t.map((ms) => ms / 1000) ?? [],
    series: columns.map(({ key, series }) => {
      const { mean = [], max = [] } = series.gauges[g]!
      return { key: keyText(key), mean, max }
    }),
  }))
}
