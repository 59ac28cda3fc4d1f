import type { Columns } from '../../schemas/message.ts'
import type { StringColumn } from '../../schemas/string-column.ts'
import { HOUR_MS } from '../../schemas/time.ts'
import { compareUtf8 } from '../../schemas/utf8.ts'
import type { Sliced } from './column.ts'

/** Rows of `messages` as columns: the messages, and each one's place in the log. */
export interface MessageRows {
  readonly columns: Columns
  readonly partition: Int32Array
  readonly offset: Float64Array
  readonly index: Int32Array
}

/**
 * The order of rows in a file: by UTC hour, the unit of recomputation, then keys, source and time, which puts
 * like values side by side; the place in the log decides the rest.
 */
export function sortRows(rows: MessageRows): MessageRows {
  return rowsAt(rows, orderOf(rows))
}

/** The numbers of a column in that order, put into it a part at a time. */
export function inOrder(values: Numbers, order: Uint32Array): Sliced<number> {
  const make = values.constructor as new (length: number) => Numbers
  return {
    length: order.length,
    slice(from, to) {
      const part = order.subarray(from, to)
      return picked(values, part, new make(part.length))
    },
  }
}

type Numbers = Float64Array | Int32Array | Uint16Array | Uint32Array

/** The rows at those places, in that order. */
export function rowsAt({ columns, partition, offset, index }: MessageRows, order: Uint32Array): MessageRows {
  const doubles = (values: Float64Array) => picked(values, order, new Float64Array(order.length))
  const integers = (values: Int32Array) => picked(values, order, new Int32Array(order.length))
  const strings = <T extends string | null>({ dictionary, places }: StringColumn<T>) => {
    return { dictionary, places: picked(places, order, new Uint32Array(order.length)) }
  }
  return {
    columns: {
      form: columns.form,
      length: order.length,
      names: columns.names.map(strings),
      attributes: columns.attributes.map(strings),
      agent: strings(columns.agent),
      seq: doubles(columns.seq),
      timeMs: doubles(columns.timeMs),
      gauges: columns.gauges.map(doubles),
    },
    partition: integers(partition),
    offset: doubles(offset),
    index: integers(index),
  }
}

function picked<T extends { [i: number]: number }>(
  values: { readonly [i: number]: number },
  order: Uint32Array,
  into: T,
): T {
  for (let i = 0; i < order.length; i++) into[i] = values[order[i]!]!
  return into
}

/**
 * Places of the rows in their order. Hour and names together become one whole number, so that the bulk of the work
 * is a sort of numbers; within these rows mostly come in order, and are compared only where they do not.
 */
export function orderOf({ columns, partition, offset, index }: MessageRows): Uint32Array {
  const { timeMs, length } = columns
  const group = groupsOf(columns)
  const keys = new Float64Array(length)
  for (let i = 0; i < length; i++) keys[i] = group[i]! * length + i
  keys.sort()
  const order = new Uint32Array(length)
  for (let i = 0; i < length; i++) order[i] = keys[i]! % length
  const compare = (a: number, b: number) =>
    timeMs[a]! - timeMs[b]! ||
    partition[a]! - partition[b]! ||
    offset[a]! - offset[b]! ||
    index[a]! - index[b]!
  for (let from = 0, to = 1; from < length; from = to++) {
    let isOrdered = true
    for (; to < length && group[order[to]!] === group[order[from]!]; to++)
      isOrdered &&= compare(order[to - 1]!, order[to]!) <= 0
    if (!isOrdered) order.subarray(from, to).sort(compare)
  }
  return order
}

/** A number for each row's hour and names, in their order; so small that it fits a double next to a row's place. */
function groupsOf({ timeMs, names, length }: Columns): Float64Array {
  let first = Number.POSITIVE_INFINITY
  for (let i = 0; i < length; i++) first = Math.min(first, Math.floor(timeMs[i]! / HOUR_MS))
  let groups = new Float64Array(length)
  for (let i = 0; i < length; i++) groups[i] = Math.floor(timeMs[i]! / HOUR_MS) - first
  for (const column of names) groups = withRanks(groups, column)
  return groups.reduce((a, b) => Math.max(a, b), 0) < Number.MAX_SAFE_INTEGER / (length + 1)
    ? groups
    : ranks(groups)
}

/** `groups` divided further by a column. */
function withRanks(groups: Float64Array<ArrayBuffer>, column: StringColumn): Float64Array<ArrayBuffer> {
  const own = stringRanks(column)
  const highest = groups.reduce((a, b) => Math.max(a, b), 0)
  const before = (highest + 1) * own.length < Number.MAX_SAFE_INTEGER ? groups : ranks(groups)
  return before.map((group, i) => group * own.length + own[column.places[i]!]!)
}

/** The rank of each string of a dictionary by its bytes. */
function stringRanks({ dictionary }: StringColumn): Float64Array {
  const sorted = dictionary
    .map((_, place) => place)
    .sort((a, b) => compareUtf8(dictionary[a]!, dictionary[b]!))
  const result = new Float64Array(dictionary.length)
  for (let rank = 0; rank < sorted.length; rank++) {
    const same = rank > 0 && dictionary[sorted[rank]!] === dictionary[sorted[rank - 1]!]
    result[sorted[rank]!] = same ? result[sorted[rank - 1]!]! : rank
  }
  return result
}

/** The rank of each of `values` among all that are different. */
function ranks(values: Float64Array<ArrayBuffer>): Float64Array<ArrayBuffer> {
  const rankOf = new Map([...new Set(values)].sort((a, b) => a - b).map((value, rank) => [value, rank]))
  return values.map((value) => rankOf.get(value)!)
}
