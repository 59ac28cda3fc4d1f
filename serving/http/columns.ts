import type { KeySummary } from '../../schemas/cell-rows.ts'
import { answerFields } from '../../schemas/gauge-answer.ts'
import { splitKey } from '../../schemas/key.ts'
import type { View } from '../../schemas/view.ts'
import type { Stats } from '../answers.ts'

export type ListValue = string | number | boolean | null

/** A column of a list: what it can be sorted by, and what it is in flat rows. */
export interface ListColumn<T> {
  /** In flat rows, like `cpu_p95`. */
  readonly name: string
  /** Where it stands in a JSON object, like `cpu.p95`. */
  readonly path: string
  readonly type: 'string' | 'timestamp' | 'double' | 'long' | 'boolean'
  readonly nullable: boolean
  of(row: T): ListValue
}

/** The list of keys of a view. */
export function keyColumns(view: View): ListColumn<KeySummary>[] {
  return [
    ...partsOf<KeySummary>(view),
    plain('first_minute', 'timestamp', ({ firstMs }) => firstMs),
    plain('last_minute', 'timestamp', ({ lastMs }) => lastMs),
    plain('messages', 'long', ({ messages }) => messages),
  ]
}

/** The list of stats of many keys. */
export function statsColumns(view: View): ListColumn<Stats>[] {
  const gauges = view.gauges.flatMap(({ gauge }, g) =>
    answerFields(view, g).map(({ name, type, nullable }, field): ListColumn<Stats> => {
      const of = (row: Stats) => row.gauges[g]![field]!
      return { name: `${gauge}_${name}`, path: `${gauge}.${name}`, type, nullable, of }
    }),
  )
  return [
    ...partsOf<Stats>(view),
    plain('from', 'timestamp', ({ fromMs }) => fromMs),
    plain('to', 'timestamp', ({ toMs }) => toMs),
    plain('messages', 'long', ({ messages }) => messages),
    ...gauges,
  ]
}

function partsOf<T extends { readonly key: string }>(view: View): ListColumn<T>[] {
  return view.key.map((column, k) => plain(column, 'string', ({ key }) => splitKey(key)[k]!))
}

export function plain<T>(
  name: string,
  type: ListColumn<T>['type'],
  of: (row: T) => ListValue,
): ListColumn<T> {
  return { name, path: name, type, nullable: false, of }
}
