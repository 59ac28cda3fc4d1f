import { type ColumnMetaData, type DataPageHeader, parquetMetadata } from 'hyparquet'
import { parquetHeader } from 'hyparquet/src/column.js'
import { decompressPage } from 'hyparquet/src/datapage.js'
import { getMaxDefinitionLevel, getMaxRepetitionLevel, getSchemaPath } from 'hyparquet/src/schema.js'
import { readVarInt } from 'hyparquet/src/thrift.js'
import { compressors } from 'hyparquet-compressors'

/**
 * Throws when the bytes of a Parquet file are damaged so that hyparquet would work on them without end: it fills as many values
 * as a run says, up to 2^31, and makes as many rows as the footer says. Here the numbers must agree with each other:
 *
 *     rows of a row group ≤ values of each of its columns = sum over its pages
 *     values of a page    ≥ each of its runs (Parquet's RLE/bit-packing hybrid), of levels and of places in a dictionary
 *
 * For files whose bytes no checksum vouches for; it costs about what decompressing them costs.
 */
export function checkRuns(bytes: Uint8Array): void {
  const { schema, row_groups } = parquetMetadata(bytes)
  for (const { columns, num_rows } of row_groups) {
    for (const { meta_data: about } of columns) {
      if (about === undefined) throw new Error('a column says nothing of itself')
      if (num_rows < 0n || num_rows > about.num_values) {
        throw new Error(`${num_rows} rows of ${about.num_values} values`)
      }
      const path = getSchemaPath(schema, about.path_in_schema)
      checkColumn(bytes, about, {
        repetition: getMaxRepetitionLevel(path),
        definition: getMaxDefinitionLevel(path),
      })
    }
  }
}

type DataPageHeaderV2 = NonNullable<ReturnType<typeof parquetHeader>['data_page_header_v2']>

/** The highest levels of a column. */
interface Levels {
  readonly repetition: number
  readonly definition: number
}

interface Reader {
  readonly view: DataView
  offset: number
}

function checkColumn(bytes: Uint8Array, about: ColumnMetaData, levels: Levels): void {
  const start = Number(about.dictionary_page_offset || about.data_page_offset)
  const reader = readerOf(bytes.subarray(start, start + Number(about.total_compressed_size)))
  let values = 0
  while (reader.offset < reader.view.byteLength - 1) {
    const header = parquetHeader(reader)
    const page = bytesOf(reader, header.compressed_page_size)
    const { data_page_header: v1, data_page_header_v2: v2 } = header
    if (header.type === 'DATA_PAGE' && v1) {
      const whole = decompressPage(page, header.uncompressed_page_size, about.codec, compressors)
      checkPage(readerOf(whole), v1, about, levels)
      values += v1.num_values
    } else if (header.type === 'DATA_PAGE_V2' && v2) {
      checkPageV2(page, header.uncompressed_page_size, v2, about, levels)
      values += v2.num_values
    } else if (header.type === 'DICTIONARY_PAGE') {
      checkDictionary(header.dictionary_page_header?.num_values, header.uncompressed_page_size, about)
    } else throw new Error(`a page is a ${header.type}`)
  }
  if (BigInt(values) !== about.num_values) throw new Error(`${values} values of ${about.num_values}`)
}

/** Each value of a dictionary takes room in its page; those of booleans have none. */
function checkDictionary(values: number | undefined, size: number, { type }: ColumnMetaData): void {
  if (values === undefined || values < 0 || values > size) {
    throw new Error(`a dictionary of ${values} ${type} in ${size} bytes`)
  }
}

/** A page of version 1, decompressed: each run of levels has its length in front. */
function checkPage(reader: Reader, header: DataPageHeader, about: ColumnMetaData, levels: Levels): void {
  for (const highest of [levels.repetition, levels.definition]) {
    if (highest > 0) checkLevels(bytesOf(reader, uint32(reader)), highest, header.num_values)
  }
  checkValues(bytesOf(reader), header, about)
}

/** A page of version 2: the levels stand before what is compressed. */
function checkPageV2(
  page: Uint8Array,
  size: number,
  header: DataPageHeaderV2,
  about: ColumnMetaData,
  levels: Levels,
): void {
  const { repetition_levels_byte_length: repetition, definition_levels_byte_length: definition } = header
  if (header.num_nulls < 0 || header.num_nulls > header.num_values) {
    throw new Error(`${header.num_nulls} of ${header.num_values} values are missing`)
  }
  const reader = readerOf(page)
  const repetitionLevels = bytesOf(reader, repetition)
  const definitionLevels = bytesOf(reader, definition)
  if (levels.repetition > 0) checkLevels(repetitionLevels, levels.repetition, header.num_values)
  if (levels.definition > 0) checkLevels(definitionLevels, levels.definition, header.num_values)
  const packed = bytesOf(reader)
  const isPacked = header.is_compressed !== false
  const values = isPacked
    ? decompressPage(packed, size - repetition - definition, about.codec, compressors)
    : packed
  checkValues(values, header, about)
}

function checkLevels(bytes: Uint8Array, highest: number, count: number): void {
  const seen = checkHybrid(readerOf(bytes), 32 - Math.clz32(highest), count)
  if (seen < count) throw new Error(`${seen} levels of ${count} values`)
}

function checkValues(
  bytes: Uint8Array,
  { encoding, num_values }: Pick<DataPageHeader, 'encoding' | 'num_values'>,
  { type }: ColumnMetaData,
): void {
  const reader = readerOf(bytes)
  if (encoding === 'RLE' && type === 'BOOLEAN') {
    checkHybrid(readerOf(bytesOf(reader, uint32(reader))), 1, num_values)
  } else if (encoding === 'RLE_DICTIONARY' || encoding === 'PLAIN_DICTIONARY') {
    if (bytes.length === 0) return
    checkHybrid(reader, reader.view.getUint8(reader.offset++), num_values)
  }
}

/** The values that the runs hold, up to `count` and what the last one has above; none may have more than there are values. */
function checkHybrid(reader: Reader, width: number, count: number): number {
  let seen = 0
  while (seen < count && reader.offset < reader.view.byteLength) {
    const header = readVarInt(reader) >>> 0
    const isPacked = (header & 1) === 1
    const run = isPacked ? (header >>> 1) * 8 : header >>> 1
    // What is packed comes in eights, and some writers fill a stretch of bytes with it.
    const most = isPacked ? Math.max(count + 7, 8 * (reader.view.byteLength - reader.offset)) : count
    if (run > most) throw new Error(`a run of ${run} values in a page of ${count}`)
    reader.offset += isPacked ? (run / 8) * width : (width + 7) >> 3
    seen += run
  }
  return seen
}

function readerOf(bytes: Uint8Array): Reader {
  return { view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), offset: 0 }
}

function uint32(reader: Reader): number {
  const value = reader.view.getUint32(reader.offset, true)
  reader.offset += 4
  return value
}

/** The next `length` bytes; absent: all that are left. Throws where there are fewer. */
function bytesOf(reader: Reader, length = reader.view.byteLength - reader.offset): Uint8Array {
  const { buffer, byteOffset } = reader.view
  const bytes = new Uint8Array(buffer as ArrayBuffer, byteOffset + reader.offset, length)
  if (reader.offset + length > reader.view.byteLength) throw new Error(`a page of ${length} bytes`)
  reader.offset += length
  return bytes
}
