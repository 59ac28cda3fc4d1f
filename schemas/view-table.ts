import { type Cell, type CellRow, joinKey, splitKey } from './cell.ts'
import type { View } from './view.ts'

/** One column of a view's table; times are microseconds in files and ISO 8601 in JSON and CSV. */
export interface ViewColumn {
  readonly name: string
  readonly type: 'string' | 'timestamp' | 'double' | 'long'
}

/** The view's columns in published order: key, minute, totals, maxima with their times, count, then hosts of maxima. */
export function viewColumns(view: View): ViewColumn[] {
  const columns: ViewColumn[] = view.key.map((name) => ({ name, type: 'string' }))
  columns.push({ name: 'time_stamp', type: 'timestamp' })
  for (const { gauge } of view.gauges) columns.push({ name: gauge, type: 'double' })
  for (const { gauge } of view.gauges) {
    columns.push({ name: `max_${gauge}_time`, type: 'timestamp' }, { name: `max_${gauge}`, type: 'double' })
  }
  columns.push({ name: 'msg_num', type: 'long' })
  for (const { gauge } of view.gauges) columns.push({ name: `max_${gauge}_host`, type: 'string' })
  return columns
}

/** A cell as values in the order of `viewColumns`; times in milliseconds. */
export function cellToValues(view: View, { key, minuteMs, cell }: CellRow): (string | number)[] {
  const values: (string | number)[] = [...splitKey(key), minuteMs, ...cell.total]
  view.gauges.forEach((_, g) => {
    values.push(cell.maxTimeMs[g]!, cell.max[g]!)
  })
  values.push(cell.messages, ...cell.maxHost)
  return values
}

/** The inverse of `cellToValues`. */
export function valuesToCell(view: View, values: readonly (string | number)[]): CellRow {
  const keys = view.key.length
  const n = view.gauges.length
  const at = (i: number) => values[i] as number
  const cell: Cell = {
    messages: at(keys + 1 + 3 * n),
    total: view.gauges.map((_, g) => at(keys + 1 + g)),
    max: view.gauges.map((_, g) => at(keys + 1 + n + 2 * g + 1)),
    maxTimeMs: view.gauges.map((_, g) => at(keys + 1 + n + 2 * g)),
    maxHost: view.gauges.map((_, g) => values[keys + 2 + 3 * n + g] as string),
  }
  return { key: joinKey(values.slice(0, keys) as string[]), minuteMs: at(keys), cell }
}
