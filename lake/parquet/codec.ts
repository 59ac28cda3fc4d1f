import { zstdCompressSync } from 'node:zlib'
import { parquetRead } from 'hyparquet'
import { compressors } from 'hyparquet-compressors'
import { ByteWriter, ParquetWriter } from 'hyparquet-writer'
import { describeError, TidemarkError } from '../../schemas/errors.ts'

/**
 * One column of a file. Timestamps are milliseconds here and INT64 TIMESTAMP(MICROS, adjusted to UTC) in the file; sketches
 * are lists of `{bucket, count}` with counts as bigints, a three-level LIST in the file.
 */
export interface ParquetColumn {
  readonly name: string
  readonly type: 'string' | 'long' | 'integer' | 'double' | 'boolean' | 'timestamp' | 'sketch'
  readonly nullable?: boolean
  readonly values: ArrayLike<unknown>
  /**
   * `PLAIN` and `DELTA` (DELTA_BINARY_PACKED, for whole numbers) are quick to write for values that hardly repeat; absent,
   * a dictionary is tried.
   */
  readonly encoding?: 'PLAIN' | 'DELTA'
  /** Whether row groups say its minimum and maximum: for columns by which readers skip. Absent: they do. */
  readonly statistics?: boolean
}

const PHYSICAL = {
  string: { type: 'BYTE_ARRAY', converted_type: 'UTF8', logical_type: { type: 'STRING' } },
  long: { type: 'INT64' },
  integer: { type: 'INT32' },
  double: { type: 'DOUBLE' },
  boolean: { type: 'BOOLEAN' },
  timestamp: {
    type: 'INT64',
    converted_type: 'TIMESTAMP_MICROS',
    logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: true, unit: 'MICROS' },
  },
} as const

/** Elements below the root for a column. */
function schemaElements({ name, type, nullable }: Omit<ParquetColumn, 'values'>): object[] {
  const repetition_type = nullable ? 'OPTIONAL' : 'REQUIRED'
  if (type !== 'sketch') return [{ name, ...PHYSICAL[type], repetition_type }]
  return [
    { name, repetition_type, num_children: 1, converted_type: 'LIST', logical_type: { type: 'LIST' } },
    { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
    { name: 'element', repetition_type: 'REQUIRED', num_children: 2 },
    { name: 'bucket', ...PHYSICAL.integer, repetition_type: 'REQUIRED' },
    { name: 'count', ...PHYSICAL.long, repetition_type: 'REQUIRED' },
  ]
}

/** DuckDB's own row group size: large enough to scan fast, small enough to skip. */
const ROW_GROUP_ROWS = 122_880

/** A complete Parquet file of `columns`, which are of equal length; zstd-compressed. */
export function encodeParquet(
  columns: readonly ParquetColumn[],
  { rowGroupRows = ROW_GROUP_ROWS }: { rowGroupRows?: number | number[] } = {},
): Uint8Array {
  const draft = new ParquetDraft(columns)
  draft.add(columns, rowGroupRows)
  return draft.end()
}

/** A Parquet file that is written part by part, zstd-compressed. */
export class ParquetDraft {
  readonly #bytes = new ByteWriter()
  readonly #writer: ParquetWriter

  constructor(columns: readonly Omit<ParquetColumn, 'values'>[]) {
    this.#writer = new ParquetWriter({
      writer: this.#bytes,
      codec: 'ZSTD',
      compressors: { ZSTD: (bytes: Uint8Array) => zstdCompressSync(bytes) },
      schema: [{ name: 'root', num_children: columns.length }, ...columns.flatMap(schemaElements)] as never,
    })
  }

  /** Further rows, in row groups of their own. */
  add(columns: readonly ParquetColumn[], rowGroupRows: number | number[] = ROW_GROUP_ROWS): void {
    this.#writer.write({
      rowGroupSize: rowGroupRows,
      columnData: columns.map(({ name, type, values, encoding, statistics = true }) => ({
        name,
        data: stored(type, values, encoding),
        ...(encoding && { encoding: encoding === 'DELTA' ? 'DELTA_BINARY_PACKED' : 'PLAIN' }),
        statistics,
      })) as never,
    })
  }

  /** What was written since it was taken last. */
  take(): Uint8Array {
    const bytes = new Uint8Array(this.#bytes.getBuffer())
    this.#bytes.index = 0
    return bytes
  }

  /** The rest of the file. */
  end(): Uint8Array {
    this.#writer.finish()
    return this.take()
  }
}

function stored(
  type: ParquetColumn['type'],
  values: ArrayLike<unknown>,
  encoding: ParquetColumn['encoding'],
): unknown {
  if (type === 'timestamp')
    return arrayOf(values, (ms) => (ms === null ? null : BigInt(ms as number) * 1000n))
  if (type !== 'long') return values
  // Differences of 32-bit numbers are written several times as fast as those of bigints; all else needs bigints.
  if (encoding === 'DELTA' && areSmall(values)) return values
  return arrayOf(values, (n) => (n === null ? null : BigInt(n as number)))
}

/** Numbers as the codec takes them: null in the place of NaN. Without one they go as they are. */
export function missingAsNull(values: Float64Array): ArrayLike<number | null> {
  if (!values.some(Number.isNaN)) return values
  return arrayOf(values, (value) => (Number.isNaN(value) ? null : value))
}

/** What `fn` makes of each value. `Array.from` would ask an iterator for each, which costs more than all else here. */
export function arrayOf<V, T>(values: ArrayLike<V>, fn: (value: V) => T): T[] {
  const result = new Array<T>(values.length)
  for (let i = 0; i < values.length; i++) result[i] = fn(values[i]!)
  return result
}

function areSmall(values: ArrayLike<unknown>): boolean {
  for (let i = 0; i < values.length; i++) {
    const value = values[i]
    if (value !== null && value !== ((value as number) | 0)) return false
  }
  return true
}

/** What `read` makes of a file's bytes. Throws `E_FILE_DAMAGED` when they are not what they should be, whatever they are. */
export async function orDamaged<T>(what: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (error) {
    if (error instanceof TidemarkError) throw error
    throw new TidemarkError(
      'E_FILE_DAMAGED',
      `a Parquet file of ${what} cannot be read: ${describeError(error)}`,
      {
        cause: error,
      },
    )
  }
}

/**
 * Columns of a Parquet file by name: longs as numbers, timestamps as milliseconds. Reads files of any common
 * writer.
 */
export async function decodeParquet(
  bytes: Uint8Array,
  names?: readonly string[],
): Promise<Record<string, unknown[]>> {
  const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer
  const columns: Record<string, unknown[]> = Object.fromEntries((names ?? []).map((name) => [name, []]))
  await parquetRead({
    file,
    compressors,
    parsers: PARSERS,
    ...(names ? { columns: [...names] } : {}),
    // Column by column, without an object per row.
    onChunk({ columnName, columnData, rowStart }) {
      columns[columnName] ??= []
      const column = columns[columnName]
      for (let i = 0; i < columnData.length; i++) column[rowStart + i] = plain(columnData[i])
    },
  })
  return columns
}

const PARSERS = { timestampFromMicroseconds: millisOf }

/** Whole milliseconds, towards the past. From the year 2255 on microseconds are no exact numbers, only bigints. */
function millisOf(micros: bigint): number {
  const number = Number(micros)
  if (!Number.isSafeInteger(number)) return Number((micros - (((micros % 1000n) + 1000n) % 1000n)) / 1000n)
  // A quotient could be rounded up to the next millisecond; this one is whole.
  return (number - (((number % 1000) + 1000) % 1000)) / 1000
}

function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value)
  return value instanceof Date ? value.getTime() : (value ?? null)
}
