import { type Cell, type CellRow, joinKey, splitKey } from './cell.ts'
import type { View } from './view.ts'

/** One column of a view's table; times are microseconds in files and ISO 8601 in JSON and CSV. */
export interface ViewColumn {
  readonly name: string
  readonly type: 'string' | 'timestamp' | 'double' | 'long'
  /** The column's value of a cell; times in milliseconds. */
  of(row: CellRow): string | number
}

/** Columns are asked for with every cell; a view never changes. */
const columnsByView = new WeakMap<View, readonly ViewColumn[]>()

/** The view's columns in published order: key, minute, totals, maxima with their times, count, then hosts of maxima. */
export function viewColumns(view: View): readonly ViewColumn[] {
  let columns = columnsByView.get(view)
  if (columns === undefined) {
    columns = columnsOf(view)
    columnsByView.set(view, columns)
  }
  return columns
}

function columnsOf(view: View): ViewColumn[] {
  return [
    ...view.key.map((name, k) => column(name, 'string', ({ key }) => splitKey(key)[k]!)),
    column('time_stamp', 'timestamp', ({ minuteMs }) => minuteMs),
    ...view.gauges.map(({ gauge }, g) => column(gauge, 'double', ({ cell }) => cell.total[g]!)),
    ...view.gauges.flatMap(({ gauge }, g) => [
      column(`max_${gauge}_time`, 'timestamp', ({ cell }) => cell.maxTimeMs[g]!),
      column(`max_${gauge}`, 'double', ({ cell }) => cell.max[g]!),
    ]),
    column('msg_num', 'long', ({ cell }) => cell.messages),
    ...view.gauges.map(({ gauge }, g) =>
      column(`max_${gauge}_host`, 'string', ({ cell }) => cell.maxHost[g]!),
    ),
  ]
}

function column(name: string, type: ViewColumn['type'], of: ViewColumn['of']): ViewColumn {
  return { name, type, of }
}

/** A cell as values in the order of `viewColumns`. */
export function cellToValues(view: View, row: CellRow): (string | number)[] {
  return viewColumns(view).map((one) => one.of(row))
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
