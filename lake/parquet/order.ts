import type { Columns, StringColumn } from '../../schemas/message.ts'
import { compareUtf8 } from '../../schemas/utf8.ts'
import { HOUR_MS } from '../../schemas/view.ts'

/** Rows of `messages` as columns: the messages, and each one's place in the log. */
export interface MessageRows {
  readonly columns: Columns
  readonly partition: Int32Array
  readonly offset: Float64Array
  readonly index: Int32Array
}

/**
 * The order of rows in a file: by UTC hour, the unit of recomputation, then service, host and time, which puts
 * like values side by side; the place in the log decides the rest.
 */
export function sortRows(rows: MessageRows): MessageRows {
  const { columns, partition, offset, index } = rows
  const order = orderOf(rows)
  const doubles = (values: Float64Array) => picked(values, order, new Float64Array(order.length))
  const integers = (values: Int32Array) => picked(values, order, new Int32Array(order.length))
  const strings = <T extends string | null>({ dictionary, places }: StringColumn<T>) => {
    return { dictionary, places: picked(places, order, new Uint32Array(order.length)) }
  }
  return {
    columns: {
      length: columns.length,
      service: strings(columns.service),
      host: strings(columns.host),
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
 * Places of the rows in their order. Hour, service and host together become one whole number, so that the bulk of the work
 * is a sort of numbers; within a host rows mostly come in order, and are compared only where they do not.
 */
function orderOf({ columns, partition, offset, index }: MessageRows): Uint32Array {
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

/** A number for each row's hour, service and host, in their order; so small that it fits a double next to a row's place. */
function groupsOf({ timeMs, service, host, length }: Columns): Float64Array {
  const services = stringRanks(service)
  const hosts = stringRanks(host)
  let first = Number.POSITIVE_INFINITY
  let highest = 0
  for (let i = 0; i < length; i++) first = Math.min(first, Math.floor(timeMs[i]! / HOUR_MS))
  const groups = new Float64Array(length)
  for (let i = 0; i < length; i++) {
    const hour = Math.floor(timeMs[i]! / HOUR_MS) - first
    const group =
      (hour * services.length + services[service.places[i]!]!) * hosts.length + hosts[host.places[i]!]!
    groups[i] = group
    if (group > highest) highest = group
  }
  return (highest + 1) * length <= Number.MAX_SAFE_INTEGER ? groups : ranks(groups)
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
function ranks(values: Float64Array): Float64Array {
  const rankOf = new Map([...new Set(values)].sort((a, b) => a - b).map((value, rank) => [value, rank]))
  return values.map((value) => rankOf.get(value)!)
}
