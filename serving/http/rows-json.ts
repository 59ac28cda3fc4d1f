import type { CellColumn } from '../../schemas/cell-column.ts'
import type { Cells } from '../../schemas/cells.ts'
import { viewColumns } from '../../schemas/view-columns.ts'
import { isoTimes, rounded } from './present.ts'

/** Rows that are written in one piece: a few milliseconds' work. */
const ROWS_AT_A_TIME = 500

/**
 * All rows as JSON objects in the view's own columns, piece by piece, written column by column: months of minutes are hundreds of thousands of
 * values, and others ask meanwhile.
 */
export function* rowsJson({ view, length, columns }: Cells): Generator<string> {
  const writers = viewColumns(view).map(({ name }, c) => {
    const before = `${c === 0 ? '{' : ','}${JSON.stringify(name)}:`
    const write = writerOf(columns[c]!)
    return (i: number) => before + write(i)
  })
  yield '['
  for (let from = 0; from < length; from += ROWS_AT_A_TIME) {
    let text = ''
    for (let i = from; i < Math.min(length, from + ROWS_AT_A_TIME); i++) {
      if (i > 0) text += ','
      for (const write of writers) text += write(i)
      text += '}'
    }
    yield text
  }
  yield ']'
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
