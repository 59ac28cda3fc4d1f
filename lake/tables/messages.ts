import { type Dataset, nameColumns } from '../../schemas/dataset.ts'
import { TidemarkError } from '../../schemas/errors.ts'
import type { Gap, Position } from '../../schemas/position.ts'
import type { DataFile, Snapshot, TableSchema } from '../delta/port.ts'
import { optional, required } from './fields.ts'
import { isGaps, isPosition, isWhole, storedJson } from './stored-json.ts'

/** The tables of datasets' messages: columns, and what their commits and files say of the log. */

/** Schema of the table of a dataset's messages (`messagesTable`). */
export function messagesSchema(dataset: Dataset): TableSchema {
  const fields = [
    ...nameColumns(dataset).map((name) => required(name, 'string')),
    required('time_stamp', 'timestamp'),
    ...dataset.gauges.map((gauge) => (gauge.optional ? optional : required)(gauge.name, 'double')),
    ...dataset.attributes.map((name) => optional(name, 'string')),
    optional('agent', 'string'),
    optional('seq', 'long'),
    required('partition', 'integer'),
    required('offset', 'long'),
    required('index', 'integer'),
    required('date', 'date'),
  ]
  return { fields, partitionBy: ['date'] }
}

/** Covered position of `messages`; `lastUpdatedMs` is the log time at that position. */
export const sealApp = (partition: number) => `seal/${partition}`
/** The positions that the txns of `messages` say are sealed. */
export function coveredPosition(messages: Snapshot | null): Position {
  const position: { [partition: number]: number } = {}
  for (const [app, txn] of messages?.txns ?? []) {
    if (app.startsWith('seal/')) position[Number(app.slice('seal/'.length))] = txn.version
  }
  return position
}

/** Log time of the covered position of `partition`; 0 when nothing is sealed. */
export function coveredMs(messages: Snapshot | null, partition: number): number {
  return messages?.txns.get(sealApp(partition))?.lastUpdatedMs ?? 0
}

/** First and last offset per partition of a file of `messages`: tag `offsets`. */
export type OffsetRanges = { readonly [partition: number]: readonly [number, number] }

/** Throws `E_TABLE_DAMAGED`. */
export function offsetsOf(file: DataFile): OffsetRanges {
  const ranges = storedJson<OffsetRanges>(`the tag of ${file.path}`, file.tags.offsets ?? '{}', {})
  if (
    Object.values(ranges).every((range) => Array.isArray(range) && range.length === 2 && range.every(isWhole))
  )
    return ranges
  throw new TidemarkError('E_TABLE_DAMAGED', `the tag of ${file.path} has wrong offsets`)
}

/** Whether every row of `file` lies at or below `position`; imported rows always do. */
export function whollyWithin(file: DataFile, position: Position): boolean {
  return Object.entries(offsetsOf(file)).every(
    ([partition, [, last]]) => Number(partition) < 0 || last <= (position[Number(partition)] ?? -1),
  )
}

/** What `messages` says of the log besides its rows. */
export interface LogFacts {
  /** Damaged ranges below the covered position. */
  readonly gaps: readonly Gap[]
  /** Partitions that take no more blocks: their last offset. */
  readonly closed: Position
}

/** Throws `E_TABLE_DAMAGED`. */
export function logFacts(messages: Snapshot | null): LogFacts {
  const json = messages?.configuration['tidemark.log'] ?? '{"gaps":[],"closed":{}}'
  return storedJson<LogFacts>('what messages say of the log', json, { gaps: isGaps, closed: isPosition })
}

export function withLogFacts(messages: Snapshot, facts: LogFacts): Record<string, string> {
  return { ...messages.configuration, 'tidemark.log': JSON.stringify(facts) }
}
