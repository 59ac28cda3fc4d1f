import { crc32 } from 'node:zlib'
import { TidemarkError } from '../../schemas/errors.ts'
import type { AgentState } from '../senders.ts'

/**
 * A segment: one head, then block records to the end of the file. Little-endian; drawn in docs/format/journal.md.
 *
 *     head    "TIDEMARK" │ u32 version │ u32 body bytes │ u32 body CRC │ u32 CRC of these 20 bytes │ body
 *     body    u32 partition │ u64 first offset │ u64 log time before it │ u32 agents │ agents ×
 *             (u16 id bytes │ id │ u64 highest seq │ u64 log time last seen)
 *     record  "TMB1" │ u32 payload bytes │ u64 offset │ u32 synced │ u64 log time │ u32 payload CRC │
 *             u32 CRC of these 32 bytes │ payload
 *
 * `synced` is the length of the file that was known to be durable when the record was written: the proof that
 * anything damaged before it had once been whole.
 */
export interface SegmentHead {
  readonly partition: number
  readonly firstOffset: number
  /** Log time of the block before the first, 0 when there is none. */
  readonly logTimeMs: number
  readonly agents: ReadonlyMap<string, AgentState>
}

export interface RecordHead {
  readonly payloadBytes: number
  readonly offset: number
  readonly syncedTo: number
  readonly logTimeMs: number
  readonly payloadCrc: number
}

const MAGIC = Buffer.from('TIDEMARK')
const VERSION = 1
export const HEAD_FIXED_BYTES = 24
export const RECORD_MAGIC = Buffer.from('TMB1')
export const RECORD_HEAD_BYTES = 36

export function encodeHead({ partition, firstOffset, logTimeMs, agents }: SegmentHead): Buffer {
  const parts: Buffer[] = [Buffer.alloc(24)]
  const fixed = parts[0]!
  fixed.writeUInt32LE(partition, 0)
  fixed.writeBigUInt64LE(BigInt(firstOffset), 4)
  fixed.writeBigUInt64LE(BigInt(logTimeMs), 12)
  fixed.writeUInt32LE(agents.size, 20)
  for (const [id, { seq, lastMs }] of agents) {
    const name = Buffer.from(id, 'utf8')
    const entry = Buffer.alloc(2 + name.length + 16)
    entry.writeUInt16LE(name.length, 0)
    name.copy(entry, 2)
    entry.writeBigUInt64LE(BigInt(seq), 2 + name.length)
    entry.writeBigUInt64LE(BigInt(lastMs), 10 + name.length)
    parts.push(entry)
  }
  const body = Buffer.concat(parts)
  const head = Buffer.alloc(HEAD_FIXED_BYTES)
  MAGIC.copy(head)
  head.writeUInt32LE(VERSION, 8)
  head.writeUInt32LE(body.length, 12)
  head.writeUInt32LE(crc32(body), 16)
  head.writeUInt32LE(crc32(head.subarray(0, 20)), 20)
  return Buffer.concat([head, body])
}

/** The length of the head that begins with these `HEAD_FIXED_BYTES`, if they are whole. */
export function headLength(fixed: Buffer): number {
  return HEAD_FIXED_BYTES + (fixed.length < HEAD_FIXED_BYTES ? 0 : fixed.readUInt32LE(12))
}

/** The head at the beginning of `file`, null when it is torn or damaged. Throws `E_JOURNAL_VERSION`. */
export function decodeHead(bytes: Uint8Array, path: string): { head: SegmentHead; bytes: number } | null {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  if (file.length < HEAD_FIXED_BYTES || !file.subarray(0, 8).equals(MAGIC)) return null
  if (file.readUInt32LE(20) !== crc32(file.subarray(0, 20))) return null
  const version = file.readUInt32LE(8)
  if (version !== VERSION) {
    throw new TidemarkError(
      'E_JOURNAL_VERSION',
      `${path} has format version ${version}, this release reads ${VERSION}`,
    )
  }
  const end = headLength(file)
  const body = file.subarray(HEAD_FIXED_BYTES, end)
  if (file.length < end || file.readUInt32LE(16) !== crc32(body)) return null
  const agents = new Map<string, AgentState>()
  let at = 24
  for (let i = body.readUInt32LE(20); i > 0; i--) {
    const name = at + 2
    at = name + body.readUInt16LE(at)
    const seq = Number(body.readBigUInt64LE(at))
    agents.set(body.toString('utf8', name, at), { seq, lastMs: Number(body.readBigUInt64LE(at + 8)) })
    at += 16
  }
  const head = {
    partition: body.readUInt32LE(0),
    firstOffset: Number(body.readBigUInt64LE(4)),
    logTimeMs: Number(body.readBigUInt64LE(12)),
    agents,
  }
  return { head, bytes: end }
}

/** Writes the head of a record of `payload` at `at`. */
export function writeRecordHead(
  into: Buffer,
  at: number,
  record: { offset: number; syncedTo: number; logTimeMs: number; payload: Uint8Array },
): void {
  RECORD_MAGIC.copy(into, at)
  into.writeUInt32LE(record.payload.length, at + 4)
  into.writeBigUInt64LE(BigInt(record.offset), at + 8)
  into.writeUInt32LE(record.syncedTo, at + 16)
  into.writeBigUInt64LE(BigInt(record.logTimeMs), at + 20)
  into.writeUInt32LE(crc32(record.payload), at + 28)
  into.writeUInt32LE(crc32(into.subarray(at, at + 32)), at + 32)
}

/** The head of a record at `at`, null when there is none whose checksum is right. */
export function readRecordHead(bytes: Buffer, at: number): RecordHead | null {
  if (at + RECORD_HEAD_BYTES > bytes.length) return null
  if (bytes.compare(RECORD_MAGIC, 0, 4, at, at + 4) !== 0) return null
  if (bytes.readUInt32LE(at + 32) !== crc32(bytes.subarray(at, at + 32))) return null
  return {
    payloadBytes: bytes.readUInt32LE(at + 4),
    offset: Number(bytes.readBigUInt64LE(at + 8)),
    syncedTo: bytes.readUInt32LE(at + 16),
    logTimeMs: Number(bytes.readBigUInt64LE(at + 20)),
    payloadCrc: bytes.readUInt32LE(at + 28),
  }
}

const NAME = /^(\d{10})-(\d{20})\.journal$/

/** Names sort by partition, then by first offset. */
export function segmentName(partition: number, firstOffset: number): string {
  return `${String(partition).padStart(10, '0')}-${String(firstOffset).padStart(20, '0')}.journal`
}

export function parseSegmentName(name: string): { partition: number; firstOffset: number } | null {
  const match = NAME.exec(name)
  return match ? { partition: Number(match[1]), firstOffset: Number(match[2]) } : null
}
