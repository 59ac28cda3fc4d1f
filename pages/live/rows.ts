import { type Cell, keyId, keyOf, type Newest, type View } from '../api/types.ts'
import { compareNames, visible } from '../names/visible.ts'

/** A row of the live table: a key of a view, or of a finer one below it. */
export interface LiveRow {
  readonly id: string
  readonly view: View
  readonly cell: Cell
  /** The values of the key that the row above does not say. */
  readonly names: readonly string[]
  readonly isFine: boolean
}

/** The view that shows the same by more of a key, as hosts of a service; null when there is none. */
export function finerOf(view: View, views: readonly View[]): View | null {
  const finer = views.filter(
    ({ dataset, key, bucket_ms }) =>
      dataset === view.dataset &&
      bucket_ms === view.bucket_ms &&
      key.length > view.key.length &&
      view.key.every((column, k) => key[k] === column),
  )
  return finer.sort((a, b) => a.key.length - b.key.length)[0] ?? null
}

/** Which rows are wanted: with `part` in a name, and a cell that ended after `sinceMs`. */
export interface WantedRows {
  readonly part: string
  readonly sinceMs: number
}

/** The keys in the order of their names, below each those of the finer view. */
export function liveRows(
  { view, newest }: { view: View; newest: Newest },
  fine: { view: View; newest: Newest } | null,
  { part, sinceMs }: WantedRows,
): LiveRow[] {
  const isNew = ({ time_stamp }: Cell) => Date.parse(time_stamp) + view.bucket_ms > sinceMs
  const below = new Map<string, LiveRow[]>()
  for (const [id, cell] of fine?.newest ?? []) {
    if (!isNew(cell)) continue
    const key = keyOf(fine!.view, cell)
    const above = keyId(key.slice(0, view.key.length))
    const row = { id, view: fine!.view, cell, names: key.slice(view.key.length), isFine: true }
    below.set(above, [...(below.get(above) ?? []), row])
  }
  const has = ({ names }: LiveRow) => names.some((name) => visible(name).toLowerCase().includes(part))
  const open = [...newest].filter(([, cell]) => isNew(cell))
  const rows = open.map(([id, cell]) => ({ id, view, cell, names: keyOf(view, cell), isFine: false }))
  return inOrder(rows).flatMap((row) => {
    const all = inOrder(below.get(row.id) ?? [])
    const found = part === '' || has(row) ? all : all.filter(has)
    return found.length > 0 || part === '' || has(row) ? [row, ...found] : []
  })
}

function inOrder(rows: readonly LiveRow[]): LiveRow[] {
  const text = ({ names }: LiveRow) => names.join(' · ')
  return [...rows].sort((a, b) => compareNames(text(a), text(b)))
}
