/** Where a part of a legend stands in its row. */
export interface Placed {
  readonly i: number
  readonly at: number
}

/** Parts of a legend, by their widths, in rows of at most `width`; one that is wider has a row of its own. */
export function legendRows(widths: readonly number[], width: number): Placed[][] {
  const rows: Placed[][] = []
  let at = width
  for (const [i, wide] of widths.entries()) {
    if (rows.length === 0 || at + wide > width) {
      rows.push([])
      at = 0
    }
    rows.at(-1)!.push({ i, at })
    at += wide
  }
  return rows
}
