import { type Dataset, nameColumns } from '../../schemas/dataset.ts'
import { TidemarkError } from '../../schemas/errors.ts'
import { offsetIn, type Position } from '../../schemas/position.ts'
import type { StringColumn } from '../../schemas/string-column.ts'
import type { DataFile } from '../delta/port.ts'
import type { MessageRows } from '../parquet/order.ts'
import { offsetsOf } from '../tables/messages.ts'

/** Which messages of a dataset an erasure is about. */
export interface ErasedMessages {
  /** Values by column, keys or the source: a message has all of them. */
  readonly where: { readonly [column: string]: string }
  /** Of these times, `[fromMs, toMs)`; null: of any. */
  readonly fromMs: number | null
  readonly toMs: number | null
}

/** The same, of those accepted up to a position; imported ones stand in partition −1. */
export interface ErasedRows extends ErasedMessages {
  readonly upTo: Position
}

/** Throws `E_USAGE` for what names no column of the dataset, no column at all, or no time. */
export function checkErased(dataset: Dataset, { where, fromMs, toMs }: ErasedMessages): void {
  const columns = nameColumns(dataset)
  const named = Object.keys(where)
  if (named.length === 0)
    throw new TidemarkError('E_USAGE', `name at least one of ${columns.join(', ')} and its value`, {
      field: 'where',
    })
  const unknown = named.find((column) => !columns.includes(column))
  if (unknown !== undefined)
    throw new TidemarkError(
      'E_USAGE',
      `${unknown} is no key or source of dataset ${dataset.name}; there are ${columns.join(', ')}`,
      { field: 'where' },
    )
  if (fromMs !== null && toMs !== null && fromMs >= toMs)
    throw new TidemarkError('E_USAGE', 'the end of the times must be after their beginning', { field: 'to' })
}

/** Whether any row of a file may be one of them. */
export function mayHold(file: DataFile, { fromMs, toMs, upTo }: ErasedRows): boolean {
  const time = (value: unknown) => (typeof value === 'string' ? Date.parse(value) : Number.NaN)
  // Where a file says nothing, it may.
  if (fromMs !== null && time(file.max.time_stamp) < fromMs) return false
  if (toMs !== null && time(file.min.time_stamp) >= toMs) return false
  const ranges = Object.entries(offsetsOf(file))
  return (
    ranges.length === 0 || ranges.some(([partition, [first]]) => first <= offsetIn(upTo, Number(partition)))
  )
}

/** Tells of each row of a file's whether it is one of them. */
export function erasedIn(
  { columns, partition, offset }: MessageRows,
  { where, fromMs, toMs, upTo }: ErasedRows,
): (i: number) => boolean {
  const names = nameColumns(columns.form)
  const wanted = Object.entries(where).map(([column, value]) => {
    const { places, dictionary }: StringColumn = columns.names[names.indexOf(column)]!
    return { places, place: dictionary.indexOf(value) }
  })
  if (wanted.some(({ place }) => place < 0)) return () => false
  return (i) =>
    wanted.every(({ places, place }) => places[i] === place) &&
    (fromMs === null || columns.timeMs[i]! >= fromMs) &&
    (toMs === null || columns.timeMs[i]! < toMs) &&
    offset[i]! <= offsetIn(upTo, partition[i]!)
}
