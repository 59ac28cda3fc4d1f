/** Which column a table is sorted by: its name, with `-` in front where the greatest come first. */
export interface Sorting {
  readonly by: string
  readonly falling: boolean
}

export function sortingOf(text: string | null, otherwise: string): Sorting {
  const named = text || otherwise
  return named.startsWith('-') ? { by: named.slice(1), falling: true } : { by: named, falling: false }
}

/** Orders rows by a column; those without a value come last, equal ones as they were. */
export function sorted<T>(
  rows: readonly T[],
  { by, falling }: Sorting,
  value: (row: T, by: string) => string | number | null,
  compare: (a: string, b: string) => number,
): T[] {
  const sign = falling ? -1 : 1
  // Each is asked for once, not at every comparison: a name takes long to make.
  const valued = rows.map((row) => ({ row, x: value(row, by) }))
  valued.sort(({ x }, { x: y }) => {
    if (x === null || y === null) return Number(x === null) - Number(y === null)
    return sign * (typeof x === 'string' || typeof y === 'string' ? compare(String(x), String(y)) : x - y)
  })
  return valued.map(({ row }) => row)
}

/** Rows in the order that is held; those that it does not know come last, as they are. */
export function inHeldOrder<T extends { readonly id: string }>(
  rows: readonly T[],
  held: readonly string[],
): T[] {
  const place = new Map(held.map((id, i) => [id, i]))
  const of = ({ id }: T) => place.get(id) ?? held.length
  return [...rows].sort((a, b) => of(a) - of(b))
}
