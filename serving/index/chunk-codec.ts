import { crc32, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import type { NumberColumn, SketchColumn, TextColumn } from '../../schemas/cell-column.ts'
import { type CellRange, joinRows, timesOf } from '../../schemas/cells.ts'
import { TidemarkError } from '../../schemas/errors.ts'
import { memoize } from '../../schemas/memoize.ts'
import type { View } from '../../schemas/view.ts'
import { viewColumns } from '../../schemas/view-columns.ts'
import { ByteReader } from './byte-reader.ts'
import { ByteWriter } from './byte-writer.ts'
import { Chunk } from './chunk.ts'
import { Sketched, writeSketches } from './sketched.ts'
import { writtenColumns } from './written-columns.ts'

/**
 * Rows of some keys as bytes, in the index: a piece without sketches, and one for each column of them, so that a reader can leave
 * those that nobody asks for.
 *
 *     u32 CRC-32 of its place and the rest │ u8 format │ u32 CRC-32 of the columns' names │ u8 compressed │ body
 *
 *     plain    the keys as JSON │ numbers (`pack-format.ts`): rows of each │ f64 first time │ numbers: buckets of the view from it to each
 *              row's time │ per column but keys, time and sketches: the numbers; times of extremes are told from the row's own, in
 *              milliseconds; of strings a dictionary comes first
 *     sketches u32 rows │ numbers: pairs of each row │ u32 pairs │ f64 lowest bucket but that of zero │ numbers: of each pair's bucket
 *              0 for that of zero, else one more than it is above the lowest │ numbers: counts
 */
const FORMAT = 6
const HEAD_BYTES = 10
/** Quick, and most of what there is to gain. */
const LEVEL = 1
/** Up to so many bytes a body stays as it is: taking it apart would take longer than all else that is done with it. */
const PLAIN_BYTES_MAX = 32 << 10

/** The piece without sketches; that of a column of sketches has the column's place among the view's. */
export const PLAIN = 0

/** Where a chunk lies, which its checksums cover: one that is found elsewhere is damage. */
export interface ChunkPlace {
  readonly file: number
  /** Of `levels.ts`, or that of the days of all keys. */
  readonly level: number
  /** Which part of the date. */
  readonly slice: number
  /** Its first key; of all keys none. */
  readonly first: string
}

/** One piece of a chunk, under its number. */
export interface ChunkPiece {
  readonly piece: number
  readonly bytes: Uint8Array
}

/** The rows of each of `keys`, which are in the order of their UTF-8 bytes; those of a key in that of time. */
export function encodeChunk(
  view: View,
  keys: readonly string[],
  rows: readonly CellRange[],
  place: ChunkPlace,
): ChunkPiece[] {
  const cells = joinRows(view, rows)
  const times = timesOf(cells)
  const lengths = Float64Array.from(rows, ({ from, to }) => to - from)
  const period = lengths[0]
  const out = new ByteWriter()
  out.text(JSON.stringify(keys))
  out.numbers(lengths)
  let firstMs = times[0] ?? 0
  for (let i = 1; i < times.length; i++) firstMs = Math.min(firstMs, times[i]!)
  out.f64(firstMs)
  const buckets = new Float64Array(times.length)
  for (let i = 0; i < times.length; i++) buckets[i] = (times[i]! - firstMs) / view.bucketMs
  out.numbers(buckets, [], period)
  const before: Float64Array[] = []
  const { plain, sketches } = writtenColumns(view)
  for (const c of plain) {
    const column = cells.columns[c] as TextColumn | NumberColumn
    const values = column.type === 'string' ? writeTexts(out, column) : ownNumbers(column, times)
    out.numbers(values, before, period)
    before.push(values)
  }
  const pieces = [{ piece: PLAIN, bytes: framed(view, out.take(), seedOf(place, PLAIN)) }]
  for (const piece of sketches) {
    out.clear()
    writeSketches(out, cells.columns[piece] as SketchColumn)
    pieces.push({ piece, bytes: framed(view, out.take(), seedOf(place, piece)) })
  }
  return pieces
}

/** Numbers as they are, but for the times of extremes, which are told from the row's. */
function ownNumbers({ type, values }: NumberColumn, times: Float64Array): Float64Array {
  if (type !== 'timestamp') return values
  const told = new Float64Array(values.length)
  for (let i = 0; i < told.length; i++) told[i] = values[i]! - times[i]!
  return told
}

/** Writes the dictionary; the places in it. */
function writeTexts(out: ByteWriter, { values: { dictionary, places } }: TextColumn): Float64Array {
  const texts: (string | null)[] = []
  /** By place in the column's own dictionary. */
  const own = new Map<number, number>()
  const written = new Float64Array(places.length)
  for (let i = 0; i < places.length; i++) {
    let at = own.get(places[i]!)
    if (at === undefined) {
      at = texts.push(dictionary[places[i]!]!) - 1
      own.set(places[i]!, at)
    }
    written[i] = at
  }
  out.text(JSON.stringify(texts))
  return written
}

/** What the checksum of a piece begins with. */
function seedOf({ file, level, slice, first }: ChunkPlace, piece: number): number {
  return crc32(`${piece} ${file} ${level} ${slice} ${first}`)
}

function framed(view: View, body: Uint8Array, seed: number): Uint8Array {
  const packed =
    body.length <= PLAIN_BYTES_MAX ? body : zstdCompressSync(body, { params: { [ZSTD_LEVEL]: LEVEL } })
  const isSmaller = packed.length < body.length
  const bytes = Buffer.alloc(HEAD_BYTES + (isSmaller ? packed : body).length)
  bytes[4] = FORMAT
  bytes.writeUInt32LE(namesOf(view), 5)
  bytes[9] = isSmaller ? 1 : 0
  bytes.set(isSmaller ? packed : body, HEAD_BYTES)
  bytes.writeUInt32LE(crc32(bytes.subarray(4), seed), 0)
  return bytes
}

/** `ZSTD_c_compressionLevel` of zstd.h. */
const ZSTD_LEVEL = 100

const namesOf = memoize((view: View) =>
  crc32(
    viewColumns(view)
      .map(({ name, type }) => `${name} ${type}`)
      .join(),
  ),
)

/** The body of a piece. Throws `E_INDEX_DAMAGED` when it is not what was written. */
function unframed(view: View, bytes: Uint8Array, seed: number): Uint8Array {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  if (buffer.length < HEAD_BYTES || buffer.readUInt32LE(0) !== crc32(buffer.subarray(4), seed))
    throw damaged('its checksum is wrong')
  if (buffer[4] !== FORMAT || buffer.readUInt32LE(5) !== namesOf(view)) throw damaged('it has other columns')
  const body = buffer.subarray(HEAD_BYTES)
  return buffer[9] === 1 ? zstdDecompressSync(body) : body
}

function damaged(reason: string): TidemarkError {
  return new TidemarkError('E_INDEX_DAMAGED', `a chunk of the serving index is damaged: ${reason}`)
}

/** The piece that was encoded for `place` without its sketches. Throws `E_INDEX_DAMAGED`. */
export function decodeChunk(view: View, place: ChunkPlace, bytes: Uint8Array): Chunk {
  const body = unframed(view, bytes, seedOf(place, PLAIN))
  return new Chunk(view, new ByteReader(body), body.length)
}

/** The sketches of a column that were encoded for `place`. Throws `E_INDEX_DAMAGED`. */
export function decodeSketches(view: View, place: ChunkPlace, piece: number, bytes: Uint8Array): Sketched {
  const body = unframed(view, bytes, seedOf(place, piece))
  return new Sketched(new ByteReader(body), body.length)
}
