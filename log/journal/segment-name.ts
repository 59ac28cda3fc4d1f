import { crc32 } from 'node:zlib'

/** Which segment it is, as its file's name says. */
export interface SegmentId {
  readonly partition: number
  /** Offset of its first block. */
  readonly firstOffset: number
  /** Eight hexadecimal digits by chance, which no sender can know; empty in the names of format version 1. */
  readonly mark: string
}

/** Bytes of a mark. */
export const MARK_BYTES = 4

const NAME = /^(\d{10})-(\d{20})(?:-([0-9a-f]{8}))?\.journal$/

/** Names sort by partition, then by first offset. */
export function segmentName({ partition, firstOffset, mark }: SegmentId): string {
  return `${String(partition).padStart(10, '0')}-${String(firstOffset).padStart(20, '0')}-${mark}.journal`
}

/** The inverse of `segmentName`; null for the name of another file. */
export function parseSegmentName(name: string): SegmentId | null {
  const match = NAME.exec(name)
  if (match === null) return null
  const [, partition, firstOffset, mark = ''] = match
  const id = { partition: Number(partition), firstOffset: Number(firstOffset), mark }
  return Number.isSafeInteger(id.firstOffset) ? id : null
}

/**
 * What the checksums of a segment begin with. So bytes of another segment, or bytes that a sender made to look like a part of
 * one, have a wrong checksum.
 */
export function checksumSeed(id: SegmentId): number {
  return crc32(segmentName(id))
}
