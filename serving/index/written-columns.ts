import type { View } from '../../schemas/view.ts'
import { viewColumns } from '../../schemas/view-columns.ts'

/** The columns of a chunk of `key` but for the time: of one key its own are left out. */
export function writtenColumns(view: View, key: string | null): number[] {
  const first = key === null ? 0 : view.key.length
  return Array.from(viewColumns(view).keys()).filter((c) => c >= first && c !== view.key.length)
}
