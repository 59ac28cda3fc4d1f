import type { ColumnChunk } from 'hyparquet'
import { ByteWriter, type Writer } from 'hyparquet-writer'
import { writePageHeader } from 'hyparquet-writer/src/datapage.js'
import { writeDictionaryPage } from 'hyparquet-writer/src/dictionary.js'
import { writeRleBitPackedHybrid } from 'hyparquet-writer/src/encoding.js'

/** Values that a place of one byte can tell apart. */
const VALUES_MAX = 256

/** Different values of a column of doubles, and the place of each value among them, without those that are missing. */
export interface Places {
  readonly values: readonly number[]
  readonly places: Uint8Array
  /** 1 where there is a value, 0 where it is missing. */
  readonly levels: Uint8Array
}

/** Null when there are too many different values. */
export function placesOf(data: ArrayLike<number | null>): Places | null {
  const placeOf = new Map<number, number>()
  const places = new Uint8Array(data.length)
  const levels = new Uint8Array(data.length)
  let present = 0
  for (let i = 0; i < data.length; i++) {
    const value = data[i]!
    if (value === null) continue
    let place = placeOf.get(value)
    if (place === undefined) {
      if (placeOf.size === VALUES_MAX) return null
      place = placeOf.size
      placeOf.set(value, place)
    }
    places[present++] = place
    levels[i] = 1
  }
  // A dictionary that holds about as much as the column is none.
  if (present < 2 * placeOf.size) return null
  return { values: [...placeOf.keys()], places: places.subarray(0, present), levels }
}

/**
 * Writes a column chunk of doubles as a dictionary and a place of a whole byte for each value. A dictionary of 101 values needs
 * 7 bits only, but in those zstd, which sees bytes, finds no value that comes again: a walk takes a third more. Readers are
 * told the width, as always.
 */
export function writeByteDictionary(
  writer: Writer,
  { values, places, levels }: Places,
  { name, nullable, compress }: { name: string; nullable: boolean; compress(bytes: Uint8Array): Uint8Array },
): ColumnChunk {
  const start = writer.offset
  const column = { element: { name, type: 'DOUBLE' }, codec: 'ZSTD', compressors: { ZSTD: compress } }
  const dictionaryBytes = writeDictionaryPage(writer, column as never, values as number[])
  const dataPageOffset = writer.offset

  const levelBytes = new ByteWriter()
  if (nullable) writeRleBitPackedHybrid(levelBytes, levels, 1)
  const page = new ByteWriter()
  page.appendUint8(8)
  writeRleBitPackedHybrid(page, places, 8)
  const compressed = compress(page.getBytes())
  writePageHeader(writer, {
    type: 'DATA_PAGE_V2',
    uncompressed_page_size: levelBytes.offset + page.offset,
    compressed_page_size: levelBytes.offset + compressed.length,
    data_page_header_v2: {
      num_values: levels.length,
      num_nulls: levels.length - places.length,
      num_rows: levels.length,
      encoding: 'RLE_DICTIONARY',
      definition_levels_byte_length: levelBytes.offset,
      repetition_levels_byte_length: 0,
      is_compressed: true,
    },
  })
  const headerBytes = writer.offset - dataPageOffset
  writer.appendBytes(levelBytes.getBytes())
  writer.appendBytes(compressed)
  return {
    file_offset: BigInt(start),
    meta_data: {
      type: 'DOUBLE',
      encodings: ['PLAIN', 'RLE_DICTIONARY'],
      path_in_schema: [name],
      codec: 'ZSTD',
      num_values: BigInt(levels.length),
      total_uncompressed_size: BigInt(dictionaryBytes + headerBytes + levelBytes.offset + page.offset),
      total_compressed_size: BigInt(writer.offset - start),
      dictionary_page_offset: BigInt(start),
      data_page_offset: BigInt(dataPageOffset),
    },
  }
}
