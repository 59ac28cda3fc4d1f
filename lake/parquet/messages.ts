import { type Dataset, formOf, formText, nameColumns } from '../../schemas/dataset.ts'
import { messagesTable } from '../../schemas/definitions.ts'
import type { Columns } from '../../schemas/message.ts'
import { constantColumn, type StringColumn, toStringColumn } from '../../schemas/string-column.ts'
import { bucketStart, DAY_MS, HOUR_MS } from '../../schemas/time.ts'
import type { FileAbout } from '../delta/port.ts'
import { hoursTag } from '../tables/hours.ts'
import { alone, decodeParquet, encodeParquet, lazily, orDamaged } from './codec.ts'
import type { ParquetColumn, Sliced } from './column.ts'
import { inOrder, type MessageRows } from './order.ts'
import { StringDraft } from './string-draft.ts'

/**
 * A data file of a dataset's messages: every column of the table but the partition column `date`. In the order of the rows a
 * source's times, numbers and places grow evenly, so what is written are their differences. With an `order` the rows are put into it a
 * row group at a time, so that they are held once.
 */
export function encodeMessages(
  dataset: Dataset,
  { columns, partition, offset, index }: MessageRows,
  { order, ...options }: { readonly zstdLevel?: number; readonly order?: Uint32Array } = {},
): Uint8Array {
  const delta = { encoding: 'DELTA', statistics: false } as const
  const numbers = (values: Float64Array | Int32Array | StringColumn['places']): Sliced<number> =>
    order === undefined ? values : inOrder(values, order)
  const strings = ({ dictionary, places }: StringColumn<string | null>) =>
    lazily(numbers(places), (place) => dictionary[place]!)
  const seq = lazily(numbers(columns.seq), (n) => n || null)
  const names = nameColumns(dataset).map((name, c): ParquetColumn => {
    // Readers skip by the first key.
    return { name, type: 'string', values: strings(columns.names[c]!), statistics: c === 0 }
  })
  const gauges = dataset.gauges.map(({ name, optional }, g): ParquetColumn => {
    const values = numbers(columns.gauges[g]!)
    const isMissing = optional && columns.gauges[g]!.some(Number.isNaN)
    return {
      name,
      type: 'double',
      nullable: optional,
      values: isMissing ? lazily(values, (value) => (Number.isNaN(value) ? null : value)) : values,
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
      { name: 'time_stamp', type: 'timestamp', values: numbers(columns.timeMs), encoding: 'DELTA' },
      ...gauges,
      ...attributes,
      { name: 'agent', type: 'string', nullable: true, values: strings(columns.agent), statistics: false },
      { name: 'seq', type: 'long', nullable: true, values: seq, ...delta },
      { name: 'partition', type: 'integer', values: numbers(partition), ...delta },
      { name: 'offset', type: 'long', values: numbers(offset), encoding: 'DELTA' },
      { name: 'index', type: 'integer', values: numbers(index), ...delta },
    ],
    options,
  )
}

/** The rows of a file, in the columns of `dataset`: what the file does not have yet is absent. */
export function decodeMessages(dataset: Dataset, bytes: Uint8Array): Promise<MessageRows> {
  return orDamaged(messagesTable(dataset.name), () => readMessages(dataset, bytes))
}

/** Column by column: as values of JavaScript a column takes several times the memory that it is kept in. */
async function readMessages(dataset: Dataset, bytes: Uint8Array): Promise<MessageRows> {
  const form = formOf(dataset)
  const whole = alone(bytes)
  const read = async <T>(name: string) => (await decodeParquet(whole, [name]))[name] as T[]
  const index = new Int32Array(await read<number>('index'))
  const { length } = index
  const texts = async <T extends string | null>(name: string) => toStringColumn(await read<T>(name))
  const names: StringColumn[] = []
  for (const name of nameColumns(dataset)) names.push(await texts<string>(name))
  const attributes: StringColumn<string | null>[] = []
  for (const name of form.attributes) {
    const column = await texts<string | null>(name)
    attributes.push(column.places.length === length ? column : constantColumn<string | null>(null, length))
  }
  const gauges: Float64Array[] = []
  for (const name of form.gauges) {
    const values = await read<number | null>(name)
    gauges.push(
      values.length === length
        ? Float64Array.from(values, (value) => value ?? Number.NaN)
        : new Float64Array(length).fill(Number.NaN),
    )
  }
  const columns: Columns = {
    form,
    length,
    names,
    attributes,
    agent: await texts<string | null>('agent'),
    seq: Float64Array.from(await read<number | null>('seq'), (seq) => seq ?? 0),
    timeMs: new Float64Array(await read<number>('time_stamp')),
    gauges,
  }
  return {
    columns,
    partition: new Int32Array(await read<number>('partition')),
    offset: new Float64Array(await read<number>('offset')),
    index,
  }
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
