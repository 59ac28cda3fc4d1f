import { GAUGES, type Gauge } from './gauges.ts'

/** One sample of one host for one service, with every default filled in. */
export interface Message {
  readonly service: string
  readonly host: string
  /** When the sample was taken: whole milliseconds since 1970. */
  readonly timeMs: number
  /** Gauge values in the order of `GAUGES`. */
  readonly gauges: readonly number[]
  /** The sender's id and its number for this message; both null for an unnumbered line. */
  readonly agent: string | null
  readonly seq: number | null
}

/**
 * Strings of many messages: each distinct one once, and per message its place among them. The dictionary may hold
 * strings that no message has.
 */
export interface StringColumn<T extends string | null = string> {
  readonly dictionary: readonly T[]
  readonly places: Uint16Array | Uint32Array
}

/**
 * Messages as columns of equal length: what a block holds, and what speed folds and the lake writer seals
 * without an object per message. `gauges[g][i]` is gauge `GAUGES[g]` of message `i`.
 */
export interface Columns {
  readonly length: number
  readonly service: StringColumn
  readonly host: StringColumn
  readonly agent: StringColumn<string | null>
  /** 0 where there is none. */
  readonly seq: Float64Array
  readonly timeMs: Float64Array
  readonly gauges: readonly Float64Array[]
}

/** The string of message `i`. */
export function stringAt<T extends string | null>({ dictionary, places }: StringColumn<T>, i: number): T {
  return dictionary[places[i]!]!
}

/** Lays strings out as a column. */
export function toStringColumn<T extends string | null>(values: readonly T[]): StringColumn<T> {
  const placeOf = new Map<T, number>()
  const places = new Uint32Array(values.length)
  for (let i = 0; i < values.length; i++) {
    let place = placeOf.get(values[i]!)
    if (place === undefined) {
      place = placeOf.size
      placeOf.set(values[i]!, place)
    }
    places[i] = place
  }
  return { dictionary: [...placeOf.keys()], places }
}

/** Lays messages out as columns. */
export function toColumns(messages: readonly Message[]): Columns {
  return {
    length: messages.length,
    service: toStringColumn(messages.map((m) => m.service)),
    host: toStringColumn(messages.map((m) => m.host)),
    agent: toStringColumn(messages.map((m) => m.agent)),
    seq: Float64Array.from(messages, (m) => m.seq ?? 0),
    timeMs: Float64Array.from(messages, (m) => m.timeMs),
    gauges: GAUGES.map((_, g) => Float64Array.from(messages, (m) => m.gauges[g]!)),
  }
}

/** Message `i` of `columns`. */
export function messageAt(columns: Columns, i: number): Message {
  return {
    service: stringAt(columns.service, i),
    host: stringAt(columns.host, i),
    timeMs: columns.timeMs[i]!,
    gauges: columns.gauges.map((values) => values[i]!),
    agent: stringAt(columns.agent, i),
    seq: columns.seq[i] || null,
  }
}

/** The body of a message line, as agents send it. Times go out as ISO 8601 in UTC. */
export function toLine(message: Message): string {
  const fields: Record<string, unknown> = {
    service: message.service,
    host: message.host,
    time_stamp: new Date(message.timeMs).toISOString(),
  }
  GAUGES.forEach((gauge: Gauge, g) => {
    fields[gauge] = message.gauges[g]
  })
  if (message.seq !== null) fields.seq = message.seq
  return JSON.stringify(fields)
}
