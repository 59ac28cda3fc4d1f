import { memoize } from '../../schemas/memoize.ts'
import type { View } from '../../schemas/view.ts'
import { viewColumns } from '../../schemas/view-columns.ts'

const written = memoize((view: View) => {
  const ofAll = Array.from(viewColumns(view).keys()).filter((c) => c !== view.key.length)
  return { ofAll, ofOne: ofAll.filter((c) => c > view.key.length) }
})

/** The columns of a chunk of `key` but for the time: of one key its own are left out. Asked for with every chunk. */
export function writtenColumns(view: View, key: string | null): readonly number[] {
  const { ofAll, ofOne } = written(view)
  return key === null ? ofAll : ofOne
}
