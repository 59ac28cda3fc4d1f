import { GAUGES } from '../../schemas/gauges.ts'
import type { Columns } from '../../schemas/message.ts'
import { HOUR_MS } from '../../schemas/view.ts'
import type { FileAbout } from '../delta/port.ts'
import { hoursTag } from '../tables.ts'
import { decodeParquet, encodeParquet } from './codec.ts'
import type { MessageRows } from './order.ts'

/** A data file of `messages`: every column of the table but the partition column `date`. */
export function encodeMessages({ columns, partition, offset, index }: MessageRows): Uint8Array {
  return encodeParquet([
    { name: 'service', type: 'string', values: columns.service },
    { name: 'host', type: 'string', values: columns.host },
    { name: 'time_stamp', type: 'timestamp', values: columns.timeMs },
    ...GAUGES.map((name, g) => ({ name, type: 'double' as const, values: columns.gauges[g]! })),
    { name: 'agent', type: 'string', nullable: true, values: columns.agent },
    { name: 'seq', type: 'long', nullable: true, values: columns.seq },
    { name: 'partition', type: 'integer', values: partition },
    { name: 'offset', type: 'long', values: offset },
    { name: 'index', type: 'integer', values: index },
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
    service: data.service as string[],
    host: data.host as string[],
    agent: data.agent as (string | null)[],
    seq: data.seq as (number | null)[],
    timeMs: data.time_stamp as number[],
    gauges: GAUGES.map((gauge) => data[gauge] as number[]),
  }
  return {
    columns,
    partition: data.partition as number[],
    offset: data.offset as number[],
    index: data.index as number[],
  }
}

/** `parts` one after the other. */
export function joinRows(parts: readonly MessageRows[]): MessageRows {
  return {
    columns: {
      length: parts.reduce((sum, part) => sum + part.columns.length, 0),
      service: parts.flatMap((part) => part.columns.service),
      host: parts.flatMap((part) => part.columns.host),
      agent: parts.flatMap((part) => part.columns.agent),
      seq: parts.flatMap((part) => part.columns.seq),
      timeMs: parts.flatMap((part) => part.columns.timeMs),
      gauges: GAUGES.map((_, g) => parts.flatMap((part) => part.columns.gauges[g]!)),
    },
    partition: parts.flatMap((part) => part.partition),
    offset: parts.flatMap((part) => part.offset),
    index: parts.flatMap((part) => part.index),
  }
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

function extent(values: readonly number[]): [number, number] {
  let low = Number.POSITIVE_INFINITY
  let high = Number.NEGATIVE_INFINITY
  for (const value of values) {
    if (value < low) low = value
    if (value > high) high = value
  }
  return [low, high]
}
