import { crc32 } from 'node:zlib'
import type { AgentState } from '../senders.ts'
import { checksumSeed, type SegmentId } from './segment-name.ts'

/**
 * The head of a segment. Little-endian; drawn in docs/format/journal.md.
 *
 *     head    "TIDEMARK" │ u32 version │ u32 body bytes │ u32 body CRC │ u32 CRC of these 20 bytes │ body
 *     body    u32 partition │ u64 first offset │ u64 log time before it │ u32 agents │ agents ×
 *             (u16 id bytes │ id │ u64 highest seq │ u64 log time last seen)
 *
 * The CRC of the body begins with that of the segment's name.
 */
export interface SegmentHead {
  readonly partition: number
  readonly firstOffset: number
  /** Log time of the block before the first, 0 when there is none. */
  readonly logTimeMs: number
  readonly agents: ReadonlyMap<string, AgentState>
}

const MAGIC = Buffer.from('TIDEMARK')
export const FORMAT_VERSION = 2
/** The part of a head that has always the same length. */
export const HEAD_FIXED_BYTES = 24
const BODY_FIXED_BYTES = 24
/** What an agent takes in a head besides its id. */
const AGENT_FIXED_BYTES = 18

/** Bytes of an agent in a head. */
export function agentBytes(id: string): number {
  return AGENT_FIXED_BYTES + Buffer.byteLength(id)
}

/** The length of a head with these agents. */
export function headBytesOf(agents: ReadonlyMap<string, AgentState>): number {
  let bytes = HEAD_FIXED_BYTES + BODY_FIXED_BYTES
  for (const agent of agents.keys()) bytes += agentBytes(agent)
  return bytes
}

export function encodeHead(id: SegmentId, { logTimeMs, agents }: Omit<SegmentHead, keyof SegmentId>): Buffer {
  const head = Buffer.alloc(headBytesOf(agents))
  const body = head.subarray(HEAD_FIXED_BYTES)
  body.writeUInt32LE(id.partition, 0)
  writeWhole(body, id.firstOffset, 4)
  writeWhole(body, logTimeMs, 12)
  body.writeUInt32LE(agents.size, 20)
  let at = BODY_FIXED_BYTES
  for (const [agent, { seq, lastMs }] of agents) {
    const bytes = body.write(agent, at + 2, 'utf8')
    body.writeUInt16LE(bytes, at)
    writeWhole(body, seq, at + 2 + bytes)
    writeWhole(body, lastMs, at + 10 + bytes)
    at += AGENT_FIXED_BYTES + bytes
  }
  MAGIC.copy(head)
  head.writeUInt32LE(FORMAT_VERSION, 8)
  head.writeUInt32LE(body.length, 12)
  head.writeUInt32LE(crc32(body, checksumSeed(id)), 16)
  head.writeUInt32LE(crc32(head.subarray(0, 20)), 20)
  return head
}

/** Writes a whole number from 0 to 2^53 − 1 as eight bytes. */
function writeWhole(into: Buffer, value: number, at: number): void {
  into.writeUInt32LE(value % 2 ** 32, at)
  into.writeUInt32LE(Math.floor(value / 2 ** 32), at + 4)
}

/** The inverse of `writeWhole`; more than 2^53 − 1 where other bytes stand there. */
function readWhole(from: Buffer, at: number): number {
  return from.readUInt32LE(at + 4) * 2 ** 32 + from.readUInt32LE(at)
}

/** The format version that a segment's head names, null where none can be read. */
export function formatVersion(file: Buffer): number | null {
  return fixedIsWhole(file) ? file.readUInt32LE(8) : null
}

function fixedIsWhole(file: Buffer): boolean {
  if (file.length < HEAD_FIXED_BYTES || !file.subarray(0, 8).equals(MAGIC)) return false
  return file.readUInt32LE(20) === crc32(file.subarray(0, 20))
}

/** The length of the head that begins with these `HEAD_FIXED_BYTES`, if they are whole. */
export function headLength(fixed: Buffer): number {
  return HEAD_FIXED_BYTES + (fixed.length < HEAD_FIXED_BYTES ? 0 : fixed.readUInt32LE(12))
}

/** The head at the beginning of `file` and its length; null when it is torn, damaged, of another segment or version. */
export function decodeHead(file: Buffer, id: SegmentId): { head: SegmentHead; bytes: number } | null {
  if (formatVersion(file) !== FORMAT_VERSION) return null
  const end = headLength(file)
  const body = file.subarray(HEAD_FIXED_BYTES, end)
  if (file.length < end || body.length < BODY_FIXED_BYTES) return null
  if (file.readUInt32LE(16) !== crc32(body, checksumSeed(id))) return null
  const [partition, firstOffset] = [body.readUInt32LE(0), readWhole(body, 4)]
  if (partition !== id.partition || firstOffset !== id.firstOffset) return null
  const agents = decodeAgents(body, body.readUInt32LE(20))
  if (agents === null) return null
  return { head: { partition, firstOffset, logTimeMs: readWhole(body, 12), agents }, bytes: end }
}

function decodeAgents(body: Buffer, count: number): Map<string, AgentState> | null {
  const agents = new Map<string, AgentState>()
  let at = BODY_FIXED_BYTES
  for (let i = 0; i < count; i++) {
    const name = at + 2
    const end = at + 2 <= body.length ? name + body.readUInt16LE(at) : Number.POSITIVE_INFINITY
    at = end + 16
    if (at > body.length) return null
    const state = { seq: readWhole(body, end), lastMs: readWhole(body, end + 8) }
    agents.set(body.toString('utf8', name, end), state)
  }
  return agents
}
