import type { ColumnChunk, Statistics } from 'hyparquet'
import { ByteWriter, type Writer } from 'hyparquet-writer'
import { writePageHeader } from 'hyparquet-writer/src/datapage.js'
import { writeDictionaryPage } from 'hyparquet-writer/src/dictionary.js'
import { writeRleBitPackedHybrid } from 'hyparquet-writer/src/encoding.js'

/** What a column chunk of one data page holds, whose values are encoded already. */
export interface ChunkContent {
  /** The column and what lies in it. */
  readonly path: readonly string[]
  readonly type: 'INT32' | 'INT64' | 'DOUBLE'
  readonly encoding: 'PLAIN' | 'DELTA_BINARY_PACKED' | 'RLE_DICTIONARY'
  /** Of an encoding with places in it. */
  readonly dictionary?: readonly number[]
  readonly page: Uint8Array
  /** Values, missing ones included. */
  readonly values: number
  readonly missing: number
  readonly rows: number
  /** For each value, 0 where it begins a row; absent: each does. */
  readonly repetition?: Uint8Array
  /** For each value, 0 where it is missing; absent: none can be. */
  readonly definition?: Uint8Array
  readonly statistics?: Statistics
}

/** Compresses with zstd. */
export type Compress = (bytes: Uint8Array) => Uint8Array

/** Writes a column chunk; what the file's end says of it. Throws where a value is missing that must be there: no reader could read on. */
export function writeChunk(writer: Writer, content: ChunkContent, compress: Compress): ColumnChunk {
  const { path, type, encoding, dictionary, page, values, missing, rows } = content
  if (missing > 0 && content.definition === undefined)
    throw new Error(`column ${path[0]} lacks ${missing} of ${values} values`)
  const start = writer.offset
  const column = { element: { name: path[0]!, type }, codec: 'ZSTD', compressors: { ZSTD: compress } }
  const dictionaryBytes =
    dictionary === undefined ? 0 : writeDictionaryPage(writer, column as never, dictionary as number[])
  const dataPageOffset = writer.offset
  const levels = new ByteWriter()
  const [repetitionBytes, definitionBytes] = [content.repetition, content.definition].map((each) =>
    each === undefined ? 0 : writeRleBitPackedHybrid(levels, each, 1),
  ) as [number, number]
  const compressed = compress(page)
  writePageHeader(writer, {
    type: 'DATA_PAGE_V2',
    uncompressed_page_size: levels.offset + page.length,
    compressed_page_size: levels.offset + compressed.length,
    data_page_header_v2: {
      num_values: values,
      num_nulls: missing,
      num_rows: rows,
      encoding,
      definition_levels_byte_length: definitionBytes,
      repetition_levels_byte_length: repetitionBytes,
      is_compressed: true,
    },
  })
  const headerBytes = writer.offset - dataPageOffset
  writer.appendBytes(levels.getBytes())
  writer.appendBytes(compressed)
  return {
    file_offset: BigInt(start),
    meta_data: {
      type,
      encodings: dictionary === undefined ? [encoding] : ['PLAIN', encoding],
      path_in_schema: [...path],
      codec: 'ZSTD',
      num_values: BigInt(values),
      total_uncompressed_size: BigInt(dictionaryBytes + headerBytes + levels.offset + page.length),
      total_compressed_size: BigInt(writer.offset - start),
      ...(dictionary !== undefined && { dictionary_page_offset: BigInt(start) }),
      data_page_offset: BigInt(dataPageOffset),
      ...(content.statistics && { statistics: content.statistics }),
    },
  }
}
