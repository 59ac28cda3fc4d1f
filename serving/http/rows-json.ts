import type { CellColumn } from '../../schemas/cell-column.ts'
import type { Cells } from '../../schemas/cells.ts'
import { viewColumns } from '../../schemas/view-columns.ts'
import { isoTimes, rounded } from './present.ts'

/** All rows as the JSON of `presentRows`, written column by column: months of minutes are hundreds of thousands of values. */
export function rowsJson({ view, length, columns }: Cells): string {
  const writers = viewColumns(view).map(({ name }, c) => {
    const before = `${c === 0 ? '{' : ','}${JSON.stringify(name)}:`
    const write = writerOf(columns[c]!)
    return (i: number) => before + write(i)
  })
  const rows: string[] = []
  for (let i = 0; i < length; i++) {
    let row = ''
    for (const write of writers) row += write(i)
    rows.push(`${row}}`)
  }
  return `[${rows.join(',')}]`
}

/** Writes the value of a row as JSON. */
function writerOf(column: CellColumn): (i: number) => string {
  if (column.type === 'string') {
    const { dictionary, places } = column.values
    const texts: string[] = []
    return (i) => {
      const place = places[i]!
      texts[place] ??= JSON.stringify(dictionary[place]!)
      return texts[place]
    }
  }
  if (column.type === 'sketch') {
    const { offsets, buckets, counts } = column
    return (i) => {
      let pairs = ''
      for (let at = offsets[i]!; at < offsets[i + 1]!; at++)
        pairs += `${pairs === '' ? '' : ','}{"bucket":${buckets[at]!},"count":${counts[at]!}}`
      return `[${pairs}]`
    }
  }
  const { type, values } = column
  const iso = isoTimes()
  return (i) => {
    const value = values[i]!
    if (Number.isNaN(value)) return 'null'
    return type === 'timestamp' ? `"${iso(value)}"` : JSON.stringify(rounded(value))
  }
}
