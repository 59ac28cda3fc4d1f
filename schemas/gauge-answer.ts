import type { Cells } from './cells.ts'
import type { AnswerField } from './measures/measure.ts'
import type { View } from './view.ts'
import { gaugeColumns, layoutOf } from './view-columns.ts'

/** One gauge's part of an answer, in the order of `answerFields`: times in milliseconds, null where there was no value. */
export type GaugeAnswer = readonly (number | string | null)[]

/** What an answer says of gauge `g` of a view. */
export function answerFields(view: View, g: number): readonly AnswerField[] {
  const gauge = view.gauges[g]!
  return layoutOf(view).gauges[g]!.flatMap(({ measure }) => measure.fields(gauge, view.source))
}

/** Tells of any row of `cells` its answer for every gauge of the view. */
export function answering({ view, columns }: Cells): (i: number) => GaugeAnswer[] {
  const gauges = layoutOf(view).gauges.map((places, g) => {
    const of = gaugeColumns(view, columns, g)
    return places.flatMap(({ measure }) => measure.answer(of))
  })
  return (i) => gauges.map((fields) => fields.map((values) => plainValue(values[i]!)))
}

const plainValue = (value: number | string | null) =>
  typeof value === 'number' && Number.isNaN(value) ? null : value

/** The answer of row `i` for every gauge of the view. */
export function answersOf(cells: Cells, i: number): GaugeAnswer[] {
  return answering(cells)(i)
}

/** The answer of a cell without messages. */
export function emptyAnswers(view: View): GaugeAnswer[] {
  return view.gauges.map((_, g) => answerFields(view, g).map(({ nullable }) => (nullable ? null : 0)))
}
