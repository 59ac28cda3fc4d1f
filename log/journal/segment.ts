import type { Block } from '../../schemas/block.ts'
import { TidemarkError } from '../../schemas/errors.ts'
import type { Disk, DiskFile } from '../../schemas/ports/disk.ts'
import type { Gap } from '../../schemas/position.ts'
import { firstAtLeast } from '../../schemas/sorted.ts'
import type { BlockDecoder } from '../block-decoder.ts'
import { StoredBlock } from '../stored-block.ts'
import { payloadIsWhole, RECORD_HEAD_BYTES, readRecordHead } from './record.ts'
import type { Scan } from './scan.ts'
import { encodeHead, type SegmentHead } from './segment-head.ts'
import { checksumSeed, type SegmentId, segmentName } from './segment-name.ts'

/** One file of the journal. */
export interface Segment extends SegmentId {
  readonly path: string
  readonly file: DiskFile
  /** `checksumSeed`. */
  readonly seed: number
  /** Length of its head, 0 when that is not known. */
  readonly headBytes: number
  /** Bytes known to be durable; for a segment that is no longer written, its size. */
  syncedBytes: number
  /** Where its blocks lie; null until somebody reads it. */
  index: SegmentIndex | null
}

/**
 * Makes a segment durable with its name, before any block is written to it. When that fails it can be tried again; nothing
 * stays open meanwhile.
 */
export async function createSegment(
  disk: Disk,
  dir: string,
  id: SegmentId,
  head: Pick<SegmentHead, 'logTimeMs' | 'agents'>,
): Promise<Segment> {
  const path = `${dir}/${segmentName(id)}`
  const bytes = encodeHead(id, head)
  const file = await disk.open(path, { create: true })
  try {
    await file.truncate(0)
    await file.write(0, bytes)
    await file.sync()
    await disk.syncDir(dir)
  } catch (error) {
    await file.close()
    throw error
  }
  const sizes = { syncedBytes: bytes.length, headBytes: bytes.length }
  return {
    ...id,
    ...sizes,
    path,
    file,
    seed: checksumSeed(id),
    index: emptyIndex(id.firstOffset, head.logTimeMs),
  }
}

/** Where the blocks of a segment lie, ascending, and what is damaged between them. */
export interface SegmentIndex {
  readonly offsets: number[]
  readonly positions: number[]
  readonly logTimes: number[]
  readonly gaps: Gap[]
  /** Offset up to which the segment speaks. */
  to: number
  /** Log time at `to`. */
  toMs: number
}

export function emptyIndex(firstOffset: number, logTimeMs: number): SegmentIndex {
  return { offsets: [], positions: [], logTimes: [], gaps: [], to: firstOffset - 1, toMs: logTimeMs }
}

/**
 * The index of a scanned segment. `last` is the offset before the next segment's first, where there is one: whatever is
 * missing before it is a gap too.
 */
export function indexOf(
  scan: Pick<Scan, 'records'>,
  about: { partition: number; firstOffset: number; logTimeMs: number },
  next: { firstOffset: number; logTimeMs: number } | null,
): SegmentIndex {
  const index = emptyIndex(about.firstOffset, about.logTimeMs)
  for (const record of scan.records) {
    if (record.offset > index.to + 1) addGap(index, about.partition, record.offset - 1, record.logTimeMs)
    addRecord(index, record.offset, record.position, record.logTimeMs)
  }
  if (next !== null && next.firstOffset - 1 > index.to) {
    addGap(index, about.partition, next.firstOffset - 1, Math.max(next.logTimeMs, index.toMs))
    index.to = next.firstOffset - 1
  }
  return index
}

export function addRecord(index: SegmentIndex, offset: number, position: number, logTimeMs: number): void {
  index.offsets.push(offset)
  index.positions.push(position)
  index.logTimes.push(logTimeMs)
  index.to = offset
  index.toMs = logTimeMs
}

function addGap(index: SegmentIndex, partition: number, to: number, toMs: number): void {
  index.gaps.push({
    partition,
    from: index.to,
    to,
    fromMs: index.toMs,
    toMs,
    reason: 'damaged journal blocks',
  })
}

/** Bytes of the blocks of `segment` after `after`; 0 where it is not known yet where they lie. */
export function bytesAfter({ index, syncedBytes }: Segment, after: number): number {
  const position = index?.positions[firstAtLeast(index.offsets, after + 1)]
  return position === undefined ? 0 : syncedBytes - position
}

/** Bytes read from disk in one go, unless a single block is larger. */
const READ_BYTES_MAX = 4 << 20

/**
 * Blocks of `segment` after `after`. A block that was whole and no longer is becomes a gap of the index.
 */
export async function readSegment(
  segment: Segment,
  index: SegmentIndex,
  { after, blocksMax, decoder }: { after: number; blocksMax: number; decoder: BlockDecoder },
): Promise<{ blocks: Block[]; gaps: Gap[]; to: number; toMs: number }> {
  const first = firstAtLeast(index.offsets, after + 1)
  let last = first
  const endOf = (i: number) => index.positions[i + 1] ?? segment.syncedBytes
  while (last < index.offsets.length && last - first < blocksMax) {
    if (last > first && endOf(last) - index.positions[first]! > READ_BYTES_MAX) break
    last++
  }
  const blocks: Block[] = []
  let { to, toMs } = index
  if (last > first) {
    const from = index.positions[first]!
    const bytes = asBuffer(await segment.file.read(from, endOf(last - 1) - from))
    to = index.offsets[last - 1]!
    toMs = index.logTimes[last - 1]!
    for (let i = first; i < last; i++) {
      const block = blockAt(segment, index, i, { bytes, from, decoder })
      if (block !== null) blocks.push(block)
      else noteDamage(segment, index, i)
    }
  }
  if (last >= index.offsets.length) ({ to, toMs } = index)
  // A reader that knows the beginning of a gap is told of the rest.
  const gaps = index.gaps
    .filter((gap) => gap.to > after && gap.to <= to)
    .map((gap) => ({ ...gap, from: Math.max(gap.from, after) }))
  return { blocks, gaps, to, toMs }
}

/** Block `i` of the index out of `bytes`, which stand at `from` in the file; null when it is damaged. */
function blockAt(
  segment: Segment,
  index: SegmentIndex,
  i: number,
  { bytes, from, decoder }: { bytes: Buffer; from: number; decoder: BlockDecoder },
): Block | null {
  const position = index.positions[i]!
  const at = position - from
  const head = readRecordHead(bytes, at, { position, seed: segment.seed })
  if (head === null || head.offset !== index.offsets[i]) return null
  const payload = at + RECORD_HEAD_BYTES
  const end = payload + head.payloadBytes
  if (end > bytes.length || !payloadIsWhole(bytes, at, head)) return null
  return new StoredBlock(decoder, { ...head, partition: segment.partition }, bytes.subarray(payload, end))
}

function noteDamage(segment: Segment, index: SegmentIndex, i: number): void {
  const offset = index.offsets[i]!
  if (index.gaps.some((gap) => gap.from < offset && gap.to >= offset)) return
  index.gaps.push({
    partition: segment.partition,
    from: offset - 1,
    to: offset,
    fromMs: index.logTimes[i - 1] ?? index.logTimes[i]!,
    toMs: index.logTimes[i + 1] ?? index.logTimes[i]!,
    reason: 'damaged journal blocks',
  })
  index.gaps.sort((a, b) => a.from - b.from)
}

export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
}

/** The whole file, for a scan. */
export async function wholeFile(file: DiskFile): Promise<Buffer> {
  return asBuffer(await file.read(0, await file.size()))
}

export function closedError(): TidemarkError {
  return new TidemarkError('E_CLOSED', 'the journal is closed')
}
