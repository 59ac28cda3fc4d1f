import type { Statistics } from 'hyparquet'
import { pageOfPlaces, placesOf } from './byte-dictionary.ts'
import type { ParquetColumn, Values } from './column.ts'
import type { ChunkContent } from './column-chunk.ts'
import { canDeltaPack, deltaPacked } from './delta-packed.ts'
import { SketchRows, sketchChunks } from './sketch-rows.ts'

/**
 * The chunks of a column that are encoded here, from numbers in typed arrays: the library takes a bigint for each time and long, and an object
 * for each pair of a sketch, and most of its time with them. Null for a column that is left to it.
 */
export function ownChunks(
  column: Omit<ParquetColumn, 'values'>,
  data: Values,
): readonly ChunkContent[] | null {
  if (data instanceof SketchRows) return sketchChunks(column.name, data)
  const { type, encoding } = column
  if ((type === 'timestamp' || type === 'long') && encoding === 'DELTA')
    return wholeNumbers(column, data as Values<number | null>)
  if (type === 'double' && (encoding === 'BYTES' || column.statistics === false))
    return doubles(column, data as Values<number | null>)
  return null
}

function doubles(column: Omit<ParquetColumn, 'values'>, data: Values<number | null>): ChunkContent[] | null {
  const { name, nullable, encoding } = column
  if (encoding === 'PLAIN') {
    const { present, ...about } = presentOf(data, nullable, 1)
    return [{ ...about, path: [name], type: 'DOUBLE', encoding: 'PLAIN', page: bytesOf(present) }]
  }
  const found = encoding === 'BYTES' && !hasMinusZero(data) ? placesOf(data) : null
  if (found === null) return null
  const { values: dictionary, places, levels } = found
  const page = pageOfPlaces(places)
  const missing = data.length - places.length
  return [
    {
      path: [name],
      type: 'DOUBLE',
      encoding: 'RLE_DICTIONARY',
      dictionary,
      page,
      values: data.length,
      rows: data.length,
      missing,
      ...(nullable && { definition: levels }),
    },
  ]
}

/** Times in microseconds, and whole numbers, as their differences. */
function wholeNumbers(
  { name, type, nullable, statistics = true }: Omit<ParquetColumn, 'values'>,
  data: Values<number | null>,
): ChunkContent[] | null {
  const { present, ...about } = presentOf(data, nullable, type === 'timestamp' ? 1_000 : 1)
  if (!canDeltaPack(present)) return null
  return [
    {
      ...about,
      path: [name],
      type: 'INT64',
      encoding: 'DELTA_BINARY_PACKED',
      page: deltaPacked(present),
      ...(statistics && { statistics: statisticsOf(present, about.missing) }),
    },
  ]
}

/** The values that are there, each so many times as large. */
function presentOf(data: Values<number | null>, nullable = false, factor: number) {
  const rows = data.length
  const present = new Float64Array(rows)
  const definition = nullable ? new Uint8Array(rows) : null
  let n = 0
  for (let i = 0; i < rows; i++) {
    const value = data[i]!
    if (value === null) continue
    if (definition !== null) definition[i] = 1
    present[n++] = value * factor
  }
  const missing = rows - n
  return { present: present.subarray(0, n), values: rows, missing, rows, ...(definition && { definition }) }
}

/** As Parquet has them: lowest bytes first. */
function bytesOf(values: Float64Array): Uint8Array {
  const bytes = Buffer.from(values.buffer, values.byteOffset, values.byteLength)
  return IS_LITTLE_ENDIAN ? bytes : bytes.swap64()
}

const IS_LITTLE_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1

function statisticsOf(values: Float64Array, missing: number): Statistics {
  if (values.length === 0) return { null_count: BigInt(missing) }
  let [least, most] = [values[0]!, values[0]!]
  for (let i = 1; i < values.length; i++) {
    if (values[i]! < least) least = values[i]!
    if (values[i]! > most) most = values[i]!
  }
  return { min_value: BigInt(least), max_value: BigInt(most), null_count: BigInt(missing) }
}

/** Dictionaries take −0 for 0. */
export function hasMinusZero(values: Values): boolean {
  for (let i = 0; i < values.length; i++) if (Object.is(values[i], -0)) return true
  return false
}
