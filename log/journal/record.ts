import { crc32 } from 'node:zlib'

/**
 * A block's record in a segment: a head, then the payload. Little-endian; drawn in docs/format/journal.md.
 *
 *     "TMB2" │ u32 payload bytes │ u64 offset │ u32 position │ u32 synced │ u64 log time │ u32 payload CRC │
 *     u32 CRC of these 36 bytes │ payload
 *
 * `position` is where the record begins in its file, and its CRC begins with that of the segment's name: bytes of another place
 * are no record here. `synced` is the length of the file that was known to be durable when the record was written: the proof
 * that anything damaged before it had once been whole.
 */
export interface RecordHead {
  readonly payloadBytes: number
  readonly offset: number
  readonly syncedTo: number
  readonly logTimeMs: number
  readonly payloadCrc: number
}

export const RECORD_MAGIC = Buffer.from('TMB2')
export const RECORD_HEAD_BYTES = 40
const CHECKED_BYTES = 36

/** What a record says besides its payload, and where it stands. */
export interface RecordAbout {
  readonly offset: number
  /** Where it begins in the file of its segment. */
  readonly position: number
  readonly syncedTo: number
  readonly logTimeMs: number
  /** `checksumSeed` of the segment. */
  readonly seed: number
}

/** Writes the head of a record of `payload` at `at`. */
export function writeRecordHead(into: Buffer, at: number, payload: Uint8Array, about: RecordAbout): void {
  RECORD_MAGIC.copy(into, at)
  into.writeUInt32LE(payload.length, at + 4)
  into.writeBigUInt64LE(BigInt(about.offset), at + 8)
  into.writeUInt32LE(about.position, at + 16)
  into.writeUInt32LE(about.syncedTo, at + 20)
  into.writeBigUInt64LE(BigInt(about.logTimeMs), at + 24)
  into.writeUInt32LE(crc32(payload), at + 32)
  into.writeUInt32LE(crc32(into.subarray(at, at + CHECKED_BYTES), about.seed), at + CHECKED_BYTES)
}

/** The head of a record at `at` of `bytes`, which stands at `position` of its file; null when there is none. */
export function readRecordHead(
  bytes: Buffer,
  at: number,
  { position, seed }: Pick<RecordAbout, 'position' | 'seed'>,
): RecordHead | null {
  if (at + RECORD_HEAD_BYTES > bytes.length) return null
  if (bytes.compare(RECORD_MAGIC, 0, 4, at, at + 4) !== 0) return null
  if (bytes.readUInt32LE(at + 16) !== position) return null
  if (bytes.readUInt32LE(at + CHECKED_BYTES) !== crc32(bytes.subarray(at, at + CHECKED_BYTES), seed))
    return null
  return {
    payloadBytes: bytes.readUInt32LE(at + 4),
    offset: Number(bytes.readBigUInt64LE(at + 8)),
    syncedTo: bytes.readUInt32LE(at + 20),
    logTimeMs: Number(bytes.readBigUInt64LE(at + 24)),
    payloadCrc: bytes.readUInt32LE(at + 32),
  }
}

/** Whether the payload behind the head at `at` is the one that it was written for. */
export function payloadIsWhole(bytes: Buffer, at: number, head: RecordHead): boolean {
  const from = at + RECORD_HEAD_BYTES
  return crc32(bytes.subarray(from, from + head.payloadBytes)) === head.payloadCrc
}
