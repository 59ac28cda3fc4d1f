import { memoize } from '../../schemas/memoize.ts'
import type { View } from '../../schemas/view.ts'
import { viewColumns } from '../../schemas/view-columns.ts'

/** The columns of a view as chunks hold them: keys and times apart. Asked for with every chunk. */
export const writtenColumns = memoize((view: View) => {
  const own = Array.from(viewColumns(view).keys()).filter((c) => c > view.key.length)
  const isSketch = (c: number) => viewColumns(view)[c]!.type === 'sketch'
  return { plain: own.filter((c) => !isSketch(c)), sketches: own.filter(isSketch) }
})
