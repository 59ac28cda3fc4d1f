import type { View } from '../../schemas/view.ts'
import { viewColumns } from '../../schemas/view-columns.ts'

/** They are asked for with every chunk; a view never changes. */
const known = new WeakMap<View, { readonly ofOne: readonly number[]; readonly ofAll: readonly number[] }>()

/** The columns of a chunk of `key` but for the time: of one key its own are left out. */
export function writtenColumns(view: View, key: string | null): readonly number[] {
  let of = known.get(view)
  if (of === undefined) {
    const ofAll = Array.from(viewColumns(view).keys()).filter((c) => c !== view.key.length)
    of = { ofAll, ofOne: ofAll.filter((c) => c > view.key.length) }
    known.set(view, of)
  }
  return key === null ? of.ofAll : of.ofOne
}
