import type { Columns } from '../../schemas/message.ts'
import { compareUtf8 } from '../../schemas/utf8.ts'
import { bucketStart, HOUR_MS } from '../../schemas/view.ts'

/** Rows of `messages` as columns: the messages, and each one's place in the log. */
export interface MessageRows {
  readonly columns: Columns
  readonly partition: readonly number[]
  readonly offset: readonly number[]
  readonly index: readonly number[]
}

/**
 * The order of rows in a file: by UTC hour, the unit of recomputation, then service, host and time, which puts
 * like values side by side; the place in the log decides the rest.
 */
export function sortRows(rows: MessageRows): MessageRows {
  const { columns, partition, offset, index } = rows
  const order = orderOf(rows)
  const pick = <T>(values: readonly T[]): T[] => {
    const picked = new Array<T>(order.length)
    for (let i = 0; i < order.length; i++) picked[i] = values[order[i]!]!
    return picked
  }
  return {
    columns: {
      length: columns.length,
      service: pick(columns.service),
      host: pick(columns.host),
      agent: pick(columns.agent),
      seq: pick(columns.seq),
      timeMs: pick(columns.timeMs),
      gauges: columns.gauges.map(pick),
    },
    partition: pick(partition),
    offset: pick(offset),
    index: pick(index),
  }
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

/** The rank of each row's hour, service and host among all that there are: below the number of rows. */
function groupsOf({ timeMs, service, host, length }: Columns): Float64Array {
  const hour = timeMs.map((ms) => bucketStart(ms, HOUR_MS))
  const hours = ranks(hour, (a, b) => a - b)
  const services = ranks(service, compareUtf8)
  const hosts = ranks(host, compareUtf8)
  const groups = new Float64Array(length)
  for (let i = 0; i < length; i++) {
    const ofService = hours.get(hour[i]!)! * services.size + services.get(service[i]!)!
    groups[i] = ofService * hosts.size + hosts.get(host[i]!)!
  }
  const dense = ranks(groups, (a, b) => a - b)
  for (let i = 0; i < length; i++) groups[i] = dense.get(groups[i]!)!
  return groups
}

function ranks<T>(values: Iterable<T>, compare: (a: T, b: T) => number): Map<T, number> {
  return new Map([...new Set(values)].sort(compare).map((value, rank) => [value, rank]))
}
