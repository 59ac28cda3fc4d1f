import { crc32, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import type { NumberColumn, SketchColumn, TextColumn } from '../../schemas/cell-column.ts'
import { type Cells, timesOf } from '../../schemas/cells.ts'
import { TidemarkError } from '../../schemas/errors.ts'
import { memoize } from '../../schemas/memoize.ts'
import type { View } from '../../schemas/view.ts'
import { viewColumns } from '../../schemas/view-columns.ts'
import { Chunk, ZERO_BUCKET } from './chunk.ts'
import { ByteReader, ByteWriter } from './pack.ts'
import { writtenColumns } from './written-columns.ts'

/**
 * Rows of one key, or of all, as bytes, in the index: two pieces, so that a reader can leave the sketches.
 *
 *     u32 CRC-32 of its place and the rest │ u8 format │ u32 CRC-32 of the columns' names │ u8 compressed │ body
 *
 *     plain    u32 rows │ f64 first time │ numbers: buckets of the view from it to each row's time │ per column but those
 *              of one key, the time and sketches: the numbers (`pack.ts`); times of extremes are told from the row's own, in
 *              milliseconds; of strings a dictionary comes first
 *     sketches per sketch column: numbers: pairs of each row │ u32 pairs │ f64 lowest bucket but that of zero │ numbers: of
 *              each pair's bucket 0 for that of zero, else one more than it is above the lowest │ numbers: counts
 */
const FORMAT = 5
const HEAD_BYTES = 10
/** Quick, and most of what there is to gain. */
const LEVEL = 1
/** Up to so many bytes a body stays as it is: taking it apart would take longer than all else that is done with it. */
const PLAIN_BYTES_MAX = 16 << 10

export interface ChunkBytes {
  readonly plain: Uint8Array
  /** Null where the view has no sketches. */
  readonly sketches: Uint8Array | null
}

/** Where a chunk lies, which its checksums cover: one that is found elsewhere is damage. */
export interface ChunkPlace {
  readonly file: number
  /** Null: it is of all keys. */
  readonly key: string | null
  /** Of `levels.ts`. */
  readonly level: number
}

/** The rows from `from` to `to`, which are of one key and in the order of time, or of all keys and one time. */
export function encodeChunk(cells: Cells, from: number, to: number, place: ChunkPlace): ChunkBytes {
  const { view } = cells
  const times = timesOf(cells)
  const plain = new ByteWriter()
  const sketches = new ByteWriter()
  let hasSketches = false
  plain.u32(to - from)
  plain.f64(times[from] ?? 0)
  plain.numbers(times.slice(from, to).map((time) => (time - times[from]!) / view.bucketMs))
  const before: Float64Array[] = []
  for (const c of writtenColumns(view, place.key)) {
    const column = cells.columns[c]!
    if (column.type === 'sketch') {
      hasSketches = true
      writeSketches(sketches, column, from, to)
      continue
    }
    const values =
      column.type === 'string' ? writeTexts(plain, column, from, to) : ownNumbers(column, times, from, to)
    plain.numbers(values, before)
    before.push(values)
  }
  return {
    plain: framed(view, plain.take(), seedOf(place, 'plain')),
    sketches: hasSketches ? framed(view, sketches.take(), seedOf(place, 'sketches')) : null,
  }
}

/** Numbers as they are, but for the times of extremes, which are told from the row's. */
function ownNumbers(
  { type, values }: NumberColumn,
  times: Float64Array,
  from: number,
  to: number,
): Float64Array {
  const own = values.slice(from, to)
  if (type === 'timestamp') for (let i = 0; i < own.length; i++) own[i]! -= times[from + i]!
  return own
}

/** Writes the dictionary; the places in it. */
function writeTexts(out: ByteWriter, { values }: TextColumn, from: number, to: number): Float64Array {
  const texts: (string | null)[] = []
  /** By place in the column's own dictionary. */
  const own = new Map<number, number>()
  const places = new Float64Array(to - from)
  for (let i = from; i < to; i++) {
    const place = values.places[i]!
    let at = own.get(place)
    if (at === undefined) {
      at = texts.push(values.dictionary[place]!) - 1
      own.set(place, at)
    }
    places[i - from] = at
  }
  out.text(JSON.stringify(texts))
  return places
}

function writeSketches(
  out: ByteWriter,
  { offsets, buckets, counts }: SketchColumn,
  from: number,
  to: number,
): void {
  const [first, end] = [offsets[from]!, offsets[to]!]
  const lengths = new Float64Array(to - from)
  for (let i = from; i < to; i++) lengths[i - from] = offsets[i + 1]! - offsets[i]!
  // Zero's bucket is far from those of ordinary numbers.
  let lowest = Number.POSITIVE_INFINITY
  for (let at = first; at < end; at++)
    if (buckets[at] !== ZERO_BUCKET && buckets[at]! < lowest) lowest = buckets[at]!
  out.numbers(lengths)
  out.u32(end - first)
  out.f64(lowest)
  const above = new Float64Array(end - first)
  for (let at = first; at < end; at++)
    above[at - first] = buckets[at] === ZERO_BUCKET ? 0 : buckets[at]! - lowest + 1
  out.numbers(above)
  out.numbers(counts.slice(first, end))
}

/** What the checksum of a piece begins with. */
function seedOf({ file, key, level }: ChunkPlace, piece: keyof ChunkBytes): number {
  return crc32(key === null ? `${piece} ${file} ${level}` : `${piece} ${file} ${level} ${key}`)
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

/** The rows that were encoded for `place`; `withSketches` false leaves the sketches out, which are then not needed. Throws `E_INDEX_DAMAGED`. */
export function decodeChunk(
  view: View,
  place: ChunkPlace,
  { plain, sketches }: ChunkBytes,
  withSketches = true,
): Chunk {
  const hasSketches = viewColumns(view).some(({ type }) => type === 'sketch')
  if (withSketches && hasSketches !== (sketches !== null)) throw damaged('it lacks a piece')
  const pairs =
    sketches === null || !withSketches ? null : unframed(view, sketches, seedOf(place, 'sketches'))
  const body = unframed(view, plain, seedOf(place, 'plain'))
  return new Chunk(
    { view, key: place.key, bytes: body.length + (pairs?.length ?? 0) },
    new ByteReader(body),
    pairs === null ? null : new ByteReader(pairs),
  )
}
