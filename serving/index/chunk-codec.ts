import { crc32, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import type { CellColumn, NumberColumn, SketchColumn, TextColumn } from '../../schemas/cell-column.ts'
import { type Cells, timesOf } from '../../schemas/cells.ts'
import { TidemarkError } from '../../schemas/errors.ts'
import { splitKey } from '../../schemas/key.ts'
import { constantColumn, stringAt, toStringColumn } from '../../schemas/string-column.ts'
import type { View } from '../../schemas/view.ts'
import { viewColumns } from '../../schemas/view-columns.ts'
import { ByteReader, ByteWriter } from './pack.ts'

/**
 * Rows of one key as bytes, in the index: two pieces, so that a reader can leave the sketches.
 *
 *     u32 CRC-32 of the rest │ u8 format │ u32 CRC-32 of the columns' names │ u8 compressed │ body
 *
 *     plain    u32 rows │ per column but the key's and sketches: the numbers (`pack.ts`); times of extremes are told from
 *              the row's own, in milliseconds; of strings a dictionary comes first
 *     sketches per sketch column and row: pairs, then per pair the difference to the bucket before and the count, varints
 */
const FORMAT = 1
const HEAD_BYTES = 10
/** Quick, and most of what there is to gain. */
const LEVEL = 1

export interface ChunkBytes {
  readonly plain: Uint8Array
  /** Null where the view has no sketches. */
  readonly sketches: Uint8Array | null
}

/** The rows from `from` to `to`, which are of one key. */
export function encodeChunk(cells: Cells, from: number, to: number): ChunkBytes {
  const { view } = cells
  const times = timesOf(cells)
  const plain = new ByteWriter()
  const sketches = new ByteWriter()
  let hasSketches = false
  plain.u32(to - from)
  const before: Float64Array[] = []
  for (const column of cells.columns.slice(view.key.length)) {
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
    plain: framed(view, plain.take()),
    sketches: hasSketches ? framed(view, sketches.take()) : null,
  }
}

/** Numbers as they are, but for the times of extremes, which are told from the row's. */
function ownNumbers(
  { type, values }: NumberColumn,
  times: Float64Array,
  from: number,
  to: number,
): Float64Array {
  if (type !== 'timestamp' || values === times) return values.slice(from, to)
  return values.slice(from, to).map((value, i) => value - times[from + i]!)
}

/** Writes the dictionary; the places in it. */
function writeTexts(out: ByteWriter, { values }: TextColumn, from: number, to: number): Float64Array {
  const texts = Array.from({ length: to - from }, (_, i) => stringAt(values, from + i))
  const { dictionary, places } = toStringColumn(texts)
  out.text(JSON.stringify(dictionary))
  return Float64Array.from(places)
}

function writeSketches(
  out: ByteWriter,
  { offsets, buckets, counts }: SketchColumn,
  from: number,
  to: number,
): void {
  for (let i = from; i < to; i++) {
    out.varint(offsets[i + 1]! - offsets[i]!)
    let last = 0
    for (let at = offsets[i]!; at < offsets[i + 1]!; at++) {
      // The first may be negative: zigzag.
      const step = buckets[at]! - last
      out.varint(step < 0 ? -2 * step - 1 : 2 * step)
      out.varint(counts[at]!)
      last = buckets[at]!
    }
  }
}

function framed(view: View, body: Uint8Array): Uint8Array {
  const packed = zstdCompressSync(body, { params: { [ZSTD_LEVEL]: LEVEL } })
  const isSmaller = packed.length < body.length
  const bytes = Buffer.alloc(HEAD_BYTES + (isSmaller ? packed : body).length)
  bytes[4] = FORMAT
  bytes.writeUInt32LE(namesOf(view), 5)
  bytes[9] = isSmaller ? 1 : 0
  bytes.set(isSmaller ? packed : body, HEAD_BYTES)
  bytes.writeUInt32LE(crc32(bytes.subarray(4)), 0)
  return bytes
}

/** `ZSTD_c_compressionLevel` of zstd.h. */
const ZSTD_LEVEL = 100

const names = new WeakMap<View, number>()

function namesOf(view: View): number {
  let sum = names.get(view)
  if (sum === undefined) {
    const columns = viewColumns(view).map(({ name, type }) => `${name} ${type}`)
    sum = crc32(columns.join())
    names.set(view, sum)
  }
  return sum
}

/** The body of a piece. Throws `E_INDEX_DAMAGED` when it is not what was written. */
function unframed(view: View, bytes: Uint8Array): Uint8Array {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  if (buffer.length < HEAD_BYTES || buffer.readUInt32LE(0) !== crc32(buffer.subarray(4)))
    throw damaged('its checksum is wrong')
  if (buffer[4] !== FORMAT || buffer.readUInt32LE(5) !== namesOf(view)) throw damaged('it has other columns')
  const body = buffer.subarray(HEAD_BYTES)
  return buffer[9] === 1 ? zstdDecompressSync(body) : body
}

function damaged(reason: string): TidemarkError {
  return new TidemarkError('E_INDEX_DAMAGED', `a chunk of the serving index is damaged: ${reason}`)
}

/** The rows of `key` (`joinKey`); without `sketches` their sketches are empty. Throws `E_INDEX_DAMAGED`. */
export function decodeChunk(view: View, key: string, { plain, sketches }: ChunkBytes): Cells {
  const body = new ByteReader(unframed(view, plain))
  const pairs = sketches === null ? null : new ByteReader(unframed(view, sketches))
  const length = body.u32()
  const before: Float64Array[] = []
  let times: Float64Array | null = null
  const columns = viewColumns(view).map(({ type }, c): CellColumn => {
    if (c < view.key.length) return { type: 'string', values: constantColumn(splitKey(key)[c]!, length) }
    if (type === 'sketch') return readSketches(pairs, length)
    const dictionary = type === 'string' ? (JSON.parse(body.text()) as (string | null)[]) : null
    const values = body.numbers(length, before)
    before.push(values)
    if (dictionary !== null)
      return { type: 'string', values: { dictionary, places: Uint32Array.from(values) } }
    if (type !== 'timestamp') return { type: type as 'double' | 'long', values }
    const absolute: Float64Array = times === null ? values : values.map((value, i) => value + times![i]!)
    times ??= absolute
    return { type, values: absolute }
  })
  return { view, length, columns }
}

function readSketches(pairs: ByteReader | null, length: number): SketchColumn {
  const offsets = new Uint32Array(length + 1)
  if (pairs === null)
    return { type: 'sketch', offsets, buckets: new Int32Array(), counts: new Float64Array() }
  const buckets: number[] = []
  const counts: number[] = []
  for (let i = 0; i < length; i++) {
    const count = pairs.varint()
    offsets[i + 1] = offsets[i]! + count
    let last = 0
    for (let at = 0; at < count; at++) {
      const step = pairs.varint()
      last += step % 2 === 1 ? -(step + 1) / 2 : step / 2
      buckets.push(last)
      counts.push(pairs.varint())
    }
  }
  return { type: 'sketch', offsets, buckets: Int32Array.from(buckets), counts: Float64Array.from(counts) }
}
