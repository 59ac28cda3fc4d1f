import { type Dataset, formOf, formText, nameColumns } from '../../schemas/dataset.ts'
import { messagesTable } from '../../schemas/definitions.ts'
import type { Columns } from '../../schemas/message.ts'
import { constantColumn, type StringColumn, toStringColumn } from '../../schemas/string-column.ts'
import { bucketStart, DAY_MS, HOUR_MS } from '../../schemas/time.ts'
import type { FileAbout } from '../delta/port.ts'
import { hoursTag } from '../tables/hours.ts'
import {
  decodeParquet,
  encodeParquet,
  lazily,
  missingAsNull,
  orDamaged,
  type ParquetColumn,
} from './codec.ts'
import type { MessageRows } from './order.ts'
import { StringDraft } from './string-draft.ts'

/**
 * A data file of a dataset's messages: every column of the table but the partition column `date`. In the order of the rows a
 * source's times, numbers and places grow evenly, so what is written are their differences.
 */
export function encodeMessages(
  dataset: Dataset,
  { columns, partition, offset, index }: MessageRows,
  options: { readonly zstdLevel?: number } = {},
): Uint8Array {
  const delta = { encoding: 'DELTA', statistics: false } as const
  const seq = lazily(columns.seq, (n) => n || null)
  const names = nameColumns(dataset).map((name, c): ParquetColumn => {
    // Readers skip by the first key.
    return { name, type: 'string', values: strings(columns.names[c]!), statistics: c === 0 }
  })
  const gauges = dataset.gauges.map(({ name, optional }, g): ParquetColumn => {
    const values = columns.gauges[g]!
    return {
      name,
      type: 'double',
      nullable: optional,
      values: optional ? missingAsNull(values) : values,
      encoding: 'BYTES',
      statistics: false,
    }
  })
  const attributes = dataset.attributes.map((name, c): ParquetColumn => {
    return {
      name,
      type: 'string',
      nullable: true,
      values: strings(columns.attributes[c]!),
      statistics: false,
    }
  })
  return encodeParquet(
    [
      ...names,
      { name: 'time_stamp', type: 'timestamp', values: columns.timeMs, encoding: 'DELTA' },
      ...gauges,
      ...attributes,
      { name: 'agent', type: 'string', nullable: true, values: strings(columns.agent), statistics: false },
      { name: 'seq', type: 'long', nullable: true, values: seq, ...delta },
      { name: 'partition', type: 'integer', values: partition, ...delta },
      { name: 'offset', type: 'long', values: offset, encoding: 'DELTA' },
      { name: 'index', type: 'integer', values: index, ...delta },
    ],
    options,
  )
}

/** The rows of a file, in the columns of `dataset`: what the file does not have yet is absent. */
export function decodeMessages(dataset: Dataset, bytes: Uint8Array): Promise<MessageRows> {
  return orDamaged(messagesTable(dataset.name), () => readMessages(dataset, bytes))
}

async function readMessages(dataset: Dataset, bytes: Uint8Array): Promise<MessageRows> {
  const form = formOf(dataset)
  const data = await decodeParquet(bytes, [
    ...nameColumns(dataset),
    'time_stamp',
    ...form.gauges,
    ...form.attributes,
    'agent',
    'seq',
    'partition',
    'offset',
    'index',
  ])
  const length = data.index!.length
  const values = (name: string) => (data[name]!.length === length ? data[name]! : null)
  const columns: Columns = {
    form,
    length,
    names: nameColumns(dataset).map((name) => toStringColumn(data[name] as string[])),
    attributes: form.attributes.map((name) => {
      const texts = values(name) as (string | null)[] | null
      return texts === null ? constantColumn(null, length) : toStringColumn(texts)
    }),
    agent: toStringColumn(data.agent as (string | null)[]),
    seq: Float64Array.from(data.seq as (number | null)[], (seq) => seq ?? 0),
    timeMs: new Float64Array(data.time_stamp as number[]),
    gauges: form.gauges.map((gauge) => {
      const numbers = values(gauge) as (number | null)[] | null
      if (numbers === null) return new Float64Array(length).fill(Number.NaN)
      return Float64Array.from(numbers, (value) => value ?? Number.NaN)
    }),
  }
  return {
    columns,
    partition: new Int32Array(data.partition as number[]),
    offset: new Float64Array(data.offset as number[]),
    index: new Int32Array(data.index as number[]),
  }
}

function strings({ dictionary, places }: StringColumn<string | null>): ParquetColumn['values'] {
  return lazily(places, (place) => dictionary[place]!)
}

/** `parts`, of one dataset, one after the other. */
export function joinRows(parts: readonly MessageRows[]): MessageRows {
  const [first] = parts as [MessageRows, ...MessageRows[]]
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
      form: first.columns.form,
      length,
      names: first.columns.names.map((_, c) => joinedStrings(({ names }) => names[c]!)),
      attributes: first.columns.attributes.map((_, c) => joinedStrings(({ attributes }) => attributes[c]!)),
      agent: joinedStrings(({ agent }) => agent),
      seq: doubles(({ columns }) => columns.seq),
      timeMs: doubles(({ columns }) => columns.timeMs),
      gauges: first.columns.gauges.map((_, g) => doubles(({ columns }) => columns.gauges[g]!)),
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
  const { form } = columns
  const hours = new Set<number>()
  const offsets: { [partition: number]: [number, number] } = {}
  for (let i = 0; i < columns.length; i++) {
    const timeMs = columns.timeMs[i]!
    hours.add(Math.floor((timeMs - bucketStart(timeMs, DAY_MS)) / HOUR_MS))
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
    ...Object.fromEntries(
      form.gauges.flatMap((gauge, g) =>
        Number.isFinite(gauges[g]![side]) ? [[gauge, gauges[g]![side]]] : [],
      ),
    ),
    offset: place[side],
  })
  return {
    partition: { date },
    rows: columns.length,
    min: at(0),
    max: at(1),
    tags: { hours: hoursTag(hours), offsets: JSON.stringify(offsets), form: formText(form) },
  }
}

/** The least and greatest of the values that are there. */
function extent(values: Float64Array): [number, number] {
  let low = Number.POSITIVE_INFINITY
  let high = Number.NEGATIVE_INFINITY
  for (const value of values) {
    if (value < low) low = value
    if (value > high) high = value
  }
  return [low, high]
}
