import type { NumberColumn } from '../../schemas/cell-column.ts'
import { type Cells, timesOf } from '../../schemas/cells.ts'
import { answerFields, answering } from '../../schemas/gauge-answer.ts'
import { bucketStart } from '../../schemas/time.ts'
import { layoutOf } from '../../schemas/view-columns.ts'
import type { Range } from '../answers.ts'
import { iso, rounded } from './present.ts'

/** Cells in columns, one value a bucket of the range; null in a bucket without messages. Times in milliseconds. */
export interface SeriesColumns {
  readonly t: readonly number[]
  /** Per gauge of the view, by the name of the field. */
  readonly gauges: readonly { readonly [field: string]: readonly (number | null)[] }[]
  readonly messages: readonly (number | null)[]
}

export function seriesColumns(cells: Cells, range: Range, stepMs: number): SeriesColumns {
  const { view } = cells
  const t: number[] = []
  for (let ms = bucketStart(range.fromMs, stepMs); ms < range.toMs; ms += stepMs) t.push(ms)
  const fields = view.gauges.map((_, g) =>
    answerFields(view, g).flatMap(({ name, type }, i) => (type === 'double' ? [{ name, i }] : [])),
  )
  const column = () => new Array<number | null>(t.length).fill(null)
  const gauges = fields.map((of) => of.map(({ i }) => ({ i, values: column() })))
  const messages = column()
  const times = timesOf(cells)
  const counts = (cells.columns[layoutOf(view).messages] as NumberColumn).values
  const answerOf = answering(cells)
  for (let i = 0; i < cells.length; i++) {
    const at = (times[i]! - t[0]!) / stepMs
    messages[at] = counts[i]!
    const answers = answerOf(i)
    for (let g = 0; g < gauges.length; g++) {
      for (const { i: field, values } of gauges[g]!) {
        const value = answers[g]![field] as number | null
        values[at] = value === null ? null : rounded(value)
      }
    }
  }
  const named = gauges.map((of, g) =>
    Object.fromEntries(of.map(({ values }, k) => [fields[g]![k]!.name, values])),
  )
  return { t, gauges: named, messages }
}

/** The same as the API shows it. */
export function presentSeries(cells: Cells, range: Range, stepMs: number) {
  const { t, gauges, messages } = seriesColumns(cells, range, stepMs)
  return {
    t: t.map(iso),
    ...Object.fromEntries(cells.view.gauges.map(({ gauge }, g) => [gauge, gauges[g]])),
    messages,
    step_ms: stepMs,
  }
}
