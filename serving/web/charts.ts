import type { CellRow } from '../../schemas/cell.ts'
import { bucketStart, DAY_MS, HOUR_MS } from '../../schemas/time.ts'
import type { Answers, Range } from '../answers.ts'

/** What one chart shows: per service the mean and the maximum of one gauge in each bucket of time. */
export interface ChartData {
  readonly gauge: string
  /** Starts of the buckets, seconds since 1970. */
  readonly t: readonly number[]
  readonly series: readonly {
    readonly service: string
    /** Null where a bucket holds no message: a break in the line. */
    readonly mean: readonly (number | null)[]
    readonly max: readonly (number | null)[]
  }[]
}

const MINUTE_MS = 60_000
const STEPS_MS = [1, 2, 5, 10, 15, 30]
  .map((minutes) => minutes * MINUTE_MS)
  .concat([1, 2, 3, 6, 12].map((hours) => hours * HOUR_MS))
  .concat([1, 2, 7, 14, 28, 91, 365].map((days) => days * DAY_MS))

/** The finest step that gives at most `pointsMax` buckets. */
export function chooseStep({ fromMs, toMs }: Range, pointsMax: number): number {
  return (
    STEPS_MS.find((stepMs) => (toMs - fromMs) / stepMs <= pointsMax) ??
    Math.ceil((toMs - fromMs) / pointsMax / DAY_MS) * DAY_MS
  )
}

/** The charts of every gauge of the view, over the same buckets. */
export function chartData(
  answers: Answers,
  services: readonly string[],
  range: Range,
  stepMs: number,
): ChartData[] {
  const t: number[] = []
  for (let ms = bucketStart(range.fromMs, stepMs); ms < range.toMs; ms += stepMs) t.push(ms / 1000)
  const rows = services.map((service) => {
    const cells = answers.series(service, range, stepMs) ?? []
    return { service, byTime: new Map(cells.map((row) => [row.minuteMs / 1000, row])) }
  })
  return answers.view.gauges.map(({ gauge }, g) => ({
    gauge,
    t,
    series: rows.map(({ service, byTime }) => ({
      service,
      mean: t.map((at) => meanOf(byTime.get(at), g)),
      max: t.map((at) => byTime.get(at)?.cell.max[g] ?? null),
    })),
  }))
}

function meanOf(row: CellRow | undefined, g: number): number | null {
  return row === undefined ? null : row.cell.total[g]! / row.cell.messages
}
