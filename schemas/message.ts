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
 * Messages as columns of equal length: what a block holds, and what speed folds and the lake writer seals
 * without an object per message. `gauges[g][i]` is gauge `GAUGES[g]` of message `i`.
 */
export interface Columns {
  readonly length: number
  readonly service: readonly string[]
  readonly host: readonly string[]
  readonly agent: readonly (string | null)[]
  readonly seq: readonly (number | null)[]
  readonly timeMs: readonly number[]
  readonly gauges: readonly (readonly number[])[]
}

/** Lays messages out as columns. */
export function toColumns(messages: readonly Message[]): Columns {
  return {
    length: messages.length,
    service: messages.map((m) => m.service),
    host: messages.map((m) => m.host),
    agent: messages.map((m) => m.agent),
    seq: messages.map((m) => m.seq),
    timeMs: messages.map((m) => m.timeMs),
    gauges: GAUGES.map((_, g) => messages.map((m) => m.gauges[g]!)),
  }
}

/** Message `i` of `columns`. */
export function messageAt(columns: Columns, i: number): Message {
  return {
    service: columns.service[i]!,
    host: columns.host[i]!,
    timeMs: columns.timeMs[i]!,
    gauges: columns.gauges.map((values) => values[i]!),
    agent: columns.agent[i]!,
    seq: columns.seq[i]!,
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
