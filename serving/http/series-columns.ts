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

/** Cells in columns, one value a bucket of the range; NaN in a bucket without messages. Times in milliseconds. */
export interface SeriesColumns {
  readonly t: readonly number[]
  /** Per gauge of the view, by the name of the field; of wanted fields alone. */
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
  const places = timesOf(cells).map((ms) => (ms - t[0]!) / stepMs)
  const column = () => new Float64Array(t.length).fill(Number.NaN)
  const counts = (cells.columns[layoutOf(view).messages] as NumberColumn).values
  const messages = column()
  for (let i = 0; i < cells.length; i++) messages[places[i]!] = counts[i]!
  const gauges = view.gauges.map((gauge, g) => {
    const of = gaugeColumns(view, cells.columns, g)
    const named: { [field: string]: Float64Array } = {}
    for (const { measure } of layoutOf(view).gauges[g]!) {
      const fields = measure.fields(gauge, view.source).flatMap(({ name, type }, field) => {
        const isWanted = type === 'double' && wanted?.has(`${gauge.gauge}.${name}`) !== false
        return isWanted ? [{ name, field, values: column() }] : []
      })
      if (fields.length === 0) continue
      const answers = measure.answer(of)
      for (const { name, field, values } of fields) {
        writeRounded(values, answers[field] as Float64Array, places)
        named[name] = values
      }
    }
    return named
  })
  return { t, gauges, messages }
}

/** Writes each value to its place; what is no value is left as it is. */
function writeRounded(values: Float64Array, from: Float64Array, places: Float64Array): void {
  for (let i = 0; i < from.length; i++) {
    const value = from[i]!
    if (!Number.isNaN(value)) values[places[i]!] = rounded(value)
  }
}

/** Values as JSON writes them: NaN as null. In a plain array doubles lie side by side, as in the column, as long as nothing else does. */
export function plainValues(column: Float64Array): number[] {
  const values: number[] = []
  for (let i = 0; i < column.length; i++) values.push(column[i]!)
  return values
}

/** Columns without their times, for JSON; of gauges those of which something is wanted. */
function presentColumns(
  view: View,
  { gauges, messages }: SeriesColumns,
  wanted: ReadonlySet<string> | null,
): object {
  const shownGauges = view.gauges.flatMap(({ gauge }, g) => {
    const columns = Object.entries(gauges[g]!).map(([name, values]) => [name, plainValues(values)] as const)
    return wanted === null || columns.length > 0 ? [[gauge, Object.fromEntries(columns)] as const] : []
  })
  return {
    ...Object.fromEntries(shownGauges),
    ...(wanted?.has(MESSAGES) !== false && { messages: plainValues(messages) }),
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
