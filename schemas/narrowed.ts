import type { Cells } from './cells.ts'
import { memoize } from './memoize.ts'
import type { View } from './view.ts'
import { layoutOf, viewColumns } from './view-columns.ts'

/** By the path of the field; null where the view lacks it. What is kept by view is kept of narrow ones too. */
const known = memoize((_: View) => new Map<string, View | null>())

/**
 * A view with no more than is needed to tell one field of its answers: of `cpu.max` the gauge `cpu` without its sketch, of what is no
 * gauge's no gauge. Null where the view has no such field.
 */
export function narrowedTo(view: View, path: string): View | null {
  const of = known(view)
  let narrow = of.get(path)
  if (narrow === undefined) {
    narrow = makeNarrow(view, path)
    of.set(path, narrow)
  }
  return narrow
}

function makeNarrow(view: View, path: string): View | null {
  const [name, field] = path.split('.')
  if (field === undefined) return { ...view, gauges: [] }
  const g = view.gauges.findIndex(({ gauge }) => gauge === name)
  const gauge = view.gauges[g]
  if (gauge === undefined) return null
  const place = layoutOf(view).gauges[g]!.find(({ measure }) =>
    measure.fields(gauge, view.source).some((one) => one.name === field),
  )
  if (place === undefined) return null
  // Sketches are most of what cells are; the percentiles told of them need the other measures too.
  const measures =
    place.measure.name === 'quantiles' ? view.measures : view.measures.filter((one) => one !== 'quantiles')
  return { ...view, gauges: [gauge], measures }
}

/** A view without who measured its extremes. */
export const withoutSources = memoize(
  (view: View): View => (view.source === null ? view : { ...view, source: null }),
)

const places = memoize((view: View) => {
  const names = viewColumns(view).map(({ name }) => name)
  return memoize((narrow: View): readonly number[] =>
    viewColumns(narrow).map(({ name }) => names.indexOf(name)),
  )
})

/** Where the columns of a narrower view stand among those of `view`. */
export const placesIn = (view: View, narrow: View) => places(view)(narrow)

/** The columns of a narrower view among those of `cells`; nothing is copied. */
export function narrowCells({ view, length, columns }: Cells, narrow: View): Cells {
  return { view: narrow, length, columns: placesIn(view, narrow).map((place) => columns[place]!) }
}
