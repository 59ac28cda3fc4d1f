import { constants, zstdCompressSync } from 'node:zlib'
import { parquetRead } from 'hyparquet'
import { compressors } from 'hyparquet-compressors'
import { ByteWriter, ParquetWriter } from 'hyparquet-writer'
import { describeError, TidemarkError } from '../../schemas/errors.ts'
import type { ParquetColumn, Sliced, Values } from './column.ts'
import { type Compress, writeChunk } from './column-chunk.ts'
import { hasMinusZero, ownChunks } from './own-chunks.ts'

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

/** zstd's own default, for files that are written while somebody waits. */
const ZSTD_LEVEL = 3

/** A complete Parquet file of `columns`, which are of equal length; zstd-compressed, the harder the higher `zstdLevel`. */
export function encodeParquet(
  columns: readonly ParquetColumn[],
  { rowGroupRows = ROW_GROUP_ROWS, zstdLevel = ZSTD_LEVEL } = {},
): Uint8Array {
  const draft = new ParquetDraft(columns, zstdLevel)
  draft.add(columns, rowGroupRows)
  return draft.end()
}

/** A Parquet file that is written part by part, zstd-compressed. */
export class ParquetDraft {
  readonly #bytes = new ByteWriter()
  readonly #file: ParquetWriter
  readonly #compress: Compress

  constructor(columns: readonly Omit<ParquetColumn, 'values'>[], zstdLevel = ZSTD_LEVEL) {
    const params = { [constants.ZSTD_c_compressionLevel]: zstdLevel }
    this.#compress = (bytes) => zstdCompressSync(bytes, { params })
    this.#file = new ParquetWriter({
      writer: this.#bytes,
      codec: 'ZSTD',
      compressors: { ZSTD: this.#compress },
      schema: [{ name: 'root', num_children: columns.length }, ...columns.flatMap(schemaElements)] as never,
    })
  }

  /** Further rows, in row groups of their own. */
  add(columns: readonly ParquetColumn[], rowGroupRows = ROW_GROUP_ROWS): void {
    const rows = columns[0]!.values.length
    for (let from = 0; from < rows; from += rowGroupRows) {
      const data = columns.map(({ values }) => values.slice(from, from + rowGroupRows))
      writeRowGroup(this.#file, columns, data, this.#compress)
    }
  }

  /** What was written since it was taken last. */
  take(): Uint8Array {
    const bytes = new Uint8Array(this.#bytes.getBuffer())
    this.#bytes.index = 0
    return bytes
  }

  /** The rest of the file. */
  end(): Uint8Array {
    this.#file.finish()
    return this.take()
  }
}

/** Our own chunks follow those of the library in the file; in the row group each has its place. The first column is never ours. */
function writeRowGroup(
  file: ParquetWriter,
  columns: readonly ParquetColumn[],
  data: readonly Values[],
  compress: Compress,
): void {
  const own = columns.map((column, c) => (c === 0 ? null : ownChunks(column, data[c]!)))
  const theirs = columns.flatMap(({ name, type, encoding, statistics = true }, c) => {
    if (own[c] !== null) return []
    const isSigned = type === 'double' && hasMinusZero(data[c]!)
    const named = isSigned ? 'PLAIN' : encoding && ENCODINGS[encoding]
    return [{ name, data: plainly(type, data[c]!), statistics, ...(named && { encoding: named }) }]
  })
  file.write({ rowGroupSize: data[0]!.length, columnData: theirs as never })
  const group = file.row_groups.at(-1)!
  for (const [c, contents] of own.entries()) {
    const chunks = (contents ?? []).map((content) => writeChunk(file.writer, content, compress))
    for (const { meta_data } of chunks) {
      group.total_byte_size += meta_data!.total_uncompressed_size
      group.total_compressed_size! += meta_data!.total_compressed_size
    }
    group.columns.splice(leavesBefore(columns, c), 0, ...chunks)
  }
}

const ENCODINGS = { PLAIN: 'PLAIN', DELTA: 'DELTA_BINARY_PACKED', BYTES: undefined } as const

/** Column chunks of the columns before the given one: a sketch has two. */
function leavesBefore(columns: readonly ParquetColumn[], c: number): number {
  return columns.slice(0, c).reduce((sum, { type }) => sum + (type === 'sketch' ? 2 : 1), 0)
}

/** What `fn` makes of the values of each row group, made when that is written: all at once take several times their memory. */
export function lazily<V>(values: Sliced<V>, fn: (value: V) => unknown): Sliced {
  return { length: values.length, slice: (from, to) => arrayOf(values.slice(from, to), fn) }
}

/** Values as the library takes them. */
function plainly(type: ParquetColumn['type'], values: Values): Values {
  if (type !== 'timestamp' && type !== 'long') return values
  const factor = type === 'timestamp' ? 1_000n : 1n
  return arrayOf(values, (value) => (value === null ? null : BigInt(value as number) * factor))
}

/** Numbers as the codec takes them: null in the place of NaN. Without one they go as they are. */
export function missingAsNull(values: Float64Array): (number | null)[] | Float64Array {
  // A sum is NaN where any of them is, or where infinite ones cancel: only then a look at each tells.
  let sum = 0
  for (let i = 0; i < values.length; i++) sum += values[i]!
  if (!Number.isNaN(sum)) return values
  return arrayOf(values, (value) => (Number.isNaN(value) ? null : value))
}

/** What `fn` makes of each value. `Array.from` would ask an iterator for each, which costs more than all else here. */
export function arrayOf<V, T>(values: ArrayLike<V>, fn: (value: V) => T): T[] {
  const result = new Array<T>(values.length)
  for (let i = 0; i < values.length; i++) result[i] = fn(values[i]!)
  return result
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
  const file = alone(bytes).buffer as ArrayBuffer
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

/** `bytes` in memory that holds nothing else: copied only where it is shared. */
export function alone(bytes: Uint8Array): Uint8Array {
  return bytes.byteLength === bytes.buffer.byteLength ? bytes : new Uint8Array(bytes)
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
