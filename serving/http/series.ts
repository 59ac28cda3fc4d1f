import type { NumberColumn } from '../../schemas/cell-column.ts'
import { type Cells, keyAt, noCells, pickRows, timesOf } from '../../schemas/cells.ts'
import { bucketStart } from '../../schemas/time.ts'
import { gaugeColumns, layoutOf } from '../../schemas/view-columns.ts'
import type { Range } from '../answers.ts'
import { iso, presentKey, rounded } from './present.ts'

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
  const places = timesOf(cells).map((ms) => (ms - t[0]!) / stepMs)
  const column = () => new Array<number | null>(t.length).fill(null)
  const counts = (cells.columns[layoutOf(view).messages] as NumberColumn).values
  const messages = column()
  for (let i = 0; i < cells.length; i++) messages[places[i]!] = counts[i]!
  const gauges = view.gauges.map((gauge, g) => {
    const of = gaugeColumns(view, cells.columns, g)
    const named: { [field: string]: readonly (number | null)[] } = {}
    for (const { measure } of layoutOf(view).gauges[g]!) {
      const fields = measure
        .fields(gauge, view.source)
        .flatMap(({ name, type }, field) => (type === 'double' ? [{ name, field, values: column() }] : []))
      if (fields.length === 0) continue
      for (const { name, values } of fields) named[name] = values
      for (let i = 0; i < cells.length; i++) {
        const answer = measure.answer(of, i)
        for (const { field, values } of fields) {
          const value = answer[field] as number | null
          values[places[i]!] = value === null ? null : rounded(value)
        }
      }
    }
    return named
  })
  return { t, gauges, messages }
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

/** The same of every key: `t` once, and per key its columns beside its values. Rows are in the published order. */
export function presentSeriesApart(cells: Cells, named: string, range: Range, stepMs: number) {
  const all: object[] = []
  for (let from = 0, to = 0; from < cells.length; from = to) {
    const key = keyAt(cells, from)
    while (to < cells.length && keyAt(cells, to) === key) to++
    const own = pickRows(
      cells,
      Uint32Array.from({ length: to - from }, (_, i) => from + i),
    )
    const { t: _t, step_ms: _step, ...columns } = presentSeries(own, range, stepMs)
    all.push({ ...presentKey(cells.view, key), ...columns })
  }
  const { t } = seriesColumns(noCells(cells.view), range, stepMs)
  return { t: t.map(iso), [named]: all, step_ms: stepMs }
}
