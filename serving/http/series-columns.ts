import type { NumberColumn } from '../../schemas/cell-column.ts'
import { type Cells, endOfKey, keyAt, pickRows, timesOf } from '../../schemas/cells.ts'
import { TidemarkError } from '../../schemas/errors.ts'
import { answerFields } from '../../schemas/gauge-answer.ts'
import { shown } from '../../schemas/shown.ts'
import { bucketStart } from '../../schemas/time.ts'
import type { View } from '../../schemas/view.ts'
import { gaugeColumns, layoutOf } from '../../schemas/view-columns.ts'
import type { Range } from '../answers.ts'
import { presentKey, rounded } from './present.ts'

/** Cells in columns, one value a row, and where the rows stand among the buckets of the range. Times in milliseconds. */
export interface SeriesColumns {
  readonly t: readonly number[]
  /** The place in `t` of each row, ascending: a bucket without messages has no row. */
  readonly places: Uint32Array
  /** Per gauge of the view, by the name of the field; of wanted fields alone. NaN where there is no value. */
  readonly gauges: readonly { readonly [field: string]: Float64Array }[]
  readonly messages: Float64Array
}

export const MESSAGES = 'messages'

/** The fields that a series of a view has, like `cpu.mean`, and `messages`. */
export function seriesFields(view: View): string[] {
  const ofGauges = view.gauges.flatMap(({ gauge }, g) =>
    answerFields(view, g)
      .filter(({ type }) => type === 'double')
      .map(({ name }) => `${gauge}.${name}`),
  )
  return [...ofGauges, MESSAGES]
}

/** The fields that a request wants; null for all. Throws `E_PARAMETER`. */
export function parseFields(view: View, text: string | undefined): ReadonlySet<string> | null {
  if (text === undefined) return null
  const known = seriesFields(view)
  const wanted = text.split(',')
  const unknown = wanted.find((field) => !known.includes(field))
  if (unknown === undefined) return new Set(wanted)
  throw new TidemarkError(
    'E_PARAMETER',
    `fields must be of ${known.join(', ')}, with commas between, not ${shown(unknown)}`,
    { field: 'fields' },
  )
}

/** Starts of the buckets of a range, milliseconds since 1970. */
export function startsOf(range: Range, stepMs: number): number[] {
  const t: number[] = []
  for (let ms = bucketStart(range.fromMs, stepMs); ms < range.toMs; ms += stepMs) t.push(ms)
  return t
}

export function seriesColumns(
  cells: Cells,
  range: Range,
  stepMs: number,
  wanted: ReadonlySet<string> | null = null,
): SeriesColumns {
  const { view } = cells
  const t = startsOf(range, stepMs)
  const times = timesOf(cells)
  const places = new Uint32Array(times.length)
  for (let i = 0; i < times.length; i++) places[i] = (times[i]! - t[0]!) / stepMs
  const messages = (cells.columns[layoutOf(view).messages] as NumberColumn).values
  const gauges = view.gauges.map((gauge, g) => {
    const of = gaugeColumns(view, cells.columns, g)
    const named: { [field: string]: Float64Array } = {}
    for (const { measure } of layoutOf(view).gauges[g]!) {
      const fields = measure.fields(gauge, view.source).flatMap(({ name, type }, field) => {
        const isWanted = type === 'double' && wanted?.has(`${gauge.gauge}.${name}`) !== false
        return isWanted ? [{ name, field }] : []
      })
      if (fields.length === 0) continue
      const answers = measure.answer(of)
      for (const { name, field } of fields) named[name] = answers[field] as Float64Array
    }
    return named
  })
  return { t, places, gauges, messages }
}

/** A value a bucket as answers write them; NaN, which JSON writes as null, in a bucket without. */
function plainValues({ t, places }: SeriesColumns, column: Float64Array): number[] {
  const values = t.map(() => Number.NaN)
  for (const [i, place] of places.entries()) values[place] = rounded(column[i]!)
  return values
}

/** Columns without their times, for JSON; of gauges those of which something is wanted. */
function presentColumns(view: View, series: SeriesColumns, wanted: ReadonlySet<string> | null): object {
  const shownGauges = view.gauges.flatMap(({ gauge }, g) => {
    const columns = Object.entries(series.gauges[g]!).map(
      ([name, values]) => [name, plainValues(series, values)] as const,
    )
    return wanted === null || columns.length > 0 ? [[gauge, Object.fromEntries(columns)] as const] : []
  })
  return {
    ...Object.fromEntries(shownGauges),
    ...(wanted?.has(MESSAGES) !== false && { messages: plainValues(series, series.messages) }),
  }
}

/** The columns of each key beside its values, by key. Rows are in the published order. */
export function presentSeriesApart(
  cells: Cells,
  range: Range,
  stepMs: number,
  wanted: ReadonlySet<string> | null = null,
): Map<string, object> {
  const all = new Map<string, object>()
  for (let from = 0, to = 0; from < cells.length; from = to) {
    to = endOfKey(cells, from)
    const key = keyAt(cells, from)
    const rows = Uint32Array.from({ length: to - from }, (_, i) => from + i)
    const columns = seriesColumns(pickRows(cells, rows), range, stepMs, wanted)
    all.set(key, { ...presentKey(cells.view, key), ...presentColumns(cells.view, columns, wanted) })
  }
  return all
}
