import { GAUGES } from '../../schemas/gauges.ts'
import { type Columns, type StringColumn, toStringColumn } from '../../schemas/message.ts'
import { HOUR_MS } from '../../schemas/view.ts'
import type { FileAbout } from '../delta/port.ts'
import { StringDraft } from '../string-draft.ts'
import { hoursTag } from '../tables.ts'
import { arrayOf, decodeParquet, encodeParquet } from './codec.ts'
import type { MessageRows } from './order.ts'

/**
 * A data file of `messages`: every column of the table but the partition column `date`. In the order of the rows a host's
 * times, numbers and places grow evenly, so what is written are their differences.
 */
export function encodeMessages({ columns, partition, offset, index }: MessageRows): Uint8Array {
  const delta = { encoding: 'DELTA', statistics: false } as const
  const seq = arrayOf(columns.seq, (n) => n || null)
  return encodeParquet([
    { name: 'service', type: 'string', values: strings(columns.service) },
    { name: 'host', type: 'string', values: strings(columns.host), statistics: false },
    { name: 'time_stamp', type: 'timestamp', values: columns.timeMs, encoding: 'DELTA' },
    ...GAUGES.map((name, g) => ({
      name,
      type: 'double' as const,
      values: columns.gauges[g]!,
      statistics: false,
    })),
    { name: 'agent', type: 'string', nullable: true, values: strings(columns.agent), statistics: false },
    { name: 'seq', type: 'long', nullable: true, values: seq, ...delta },
    { name: 'partition', type: 'integer', values: partition, ...delta },
    { name: 'offset', type: 'long', values: offset, encoding: 'DELTA' },
    { name: 'index', type: 'integer', values: index, ...delta },
  ])
}

export async function decodeMessages(bytes: Uint8Array): Promise<MessageRows> {
  const data = await decodeParquet(bytes, [
    'service',
    'host',
    'time_stamp',
    ...GAUGES,
    'agent',
    'seq',
    'partition',
    'offset',
    'index',
  ])
  const columns: Columns = {
    length: data.index!.length,
    service: toStringColumn(data.service as string[]),
    host: toStringColumn(data.host as string[]),
    agent: toStringColumn(data.agent as (string | null)[]),
    seq: Float64Array.from(data.seq as (number | null)[], (seq) => seq ?? 0),
    timeMs: new Float64Array(data.time_stamp as number[]),
    gauges: GAUGES.map((gauge) => new Float64Array(data[gauge] as number[])),
  }
  return {
    columns,
    partition: new Int32Array(data.partition as number[]),
    offset: new Float64Array(data.offset as number[]),
    index: new Int32Array(data.index as number[]),
  }
}

function strings<T extends string | null>(column: StringColumn<T>): T[] {
  const { dictionary } = column
  return arrayOf(column.places, (place) => dictionary[place]!)
}

/** `parts` one after the other. */
export function joinRows(parts: readonly MessageRows[]): MessageRows {
  const length = parts.reduce((sum, part) => sum + part.columns.length, 0)
  const doubles = (of: (part: MessageRows) => Float64Array) => joined(parts.map(of), new Float64Array(length))
  const integers = (of: (part: MessageRows) => Int32Array) => joined(parts.map(of), new Int32Array(length))
  const joinedStrings = <T extends string | null>(of: (columns: Columns) => StringColumn<T>) => {
    const draft = new StringDraft<T>()
    for (const { columns } of parts) draft.add(of(columns), 0, columns.length)
    return draft.column()
  }
  return {
    columns: {
      length,
      service: joinedStrings(({ service }) => service),
      host: joinedStrings(({ host }) => host),
      agent: joinedStrings(({ agent }) => agent),
      seq: doubles(({ columns }) => columns.seq),
      timeMs: doubles(({ columns }) => columns.timeMs),
      gauges: GAUGES.map((_, g) => doubles(({ columns }) => columns.gauges[g]!)),
    },
    partition: integers(({ partition }) => partition),
    offset: doubles(({ offset }) => offset),
    index: integers(({ index }) => index),
  }
}

function joined<T extends Float64Array | Int32Array>(parts: readonly T[], into: T): T {
  let at = 0
  for (const part of parts) {
    into.set(part, at)
    at += part.length
  }
  return into
}

/** Statistics and tags of a file that holds exactly `rows`, all of one UTC date. */
export function describeMessages(rows: MessageRows, date: string): FileAbout {
  const { columns, partition, offset } = rows
  const hours = new Set<number>()
  const offsets: { [partition: number]: [number, number] } = {}
  for (let i = 0; i < columns.length; i++) {
    hours.add(Math.floor(columns.timeMs[i]! / HOUR_MS) % 24)
    const range = offsets[partition[i]!]
    if (range === undefined) offsets[partition[i]!] = [offset[i]!, offset[i]!]
    else {
      range[0] = Math.min(range[0], offset[i]!)
      range[1] = Math.max(range[1], offset[i]!)
    }
  }
  const time = extent(columns.timeMs)
  const place = extent(offset)
  const gauges = columns.gauges.map(extent)
  const at = (side: 0 | 1) => ({
    time_stamp: new Date(time[side]).toISOString(),
    ...Object.fromEntries(GAUGES.map((gauge, g) => [gauge, gauges[g]![side]])),
    offset: place[side],
  })
  return {
    partition: { date },
    rows: columns.length,
    min: at(0),
    max: at(1),
    tags: { hours: hoursTag(hours), offsets: JSON.stringify(offsets) },
  }
}

function extent(values: Float64Array): [number, number] {
  let low = Number.POSITIVE_INFINITY
  let high = Number.NEGATIVE_INFINITY
  for (const value of values) {
    if (value < low) low = value
    if (value > high) high = value
  }
  return [low, high]
}
