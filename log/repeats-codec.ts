import { crc32 } from 'node:zlib'
import { AGENT_FIXED_BYTES, type KnownAgent, type RepeatsState } from './repeats.ts'

/**
 * What a fold over repeats knows, as bytes: little-endian, drawn in docs/format/repeats.md.
 *
 *     head    "TMREPEAT" │ u32 version │ u32 body bytes │ u32 body CRC │ u32 CRC of these 20 bytes │ body
 *     body    u32 partition │ i64 position │ u64 highest log time │ u32 agents │ u32 ids │ u32 whole │
 *             agents × (u16 id bytes │ id │ u64 highest seq │ u64 last seen │ u64 moved) │ ids × (u16 id bytes │ id)
 *
 * Equal states are equal bytes.
 */

/** Of which blocks a state is the fold: those of `partition` at or below `position`. */
export interface StateName {
  readonly partition: number
  readonly position: number
}

/** What is wrong with bytes that cannot be read. */
export interface RepeatsDamage {
  readonly damage: string
  /** A newer release wrote them: nothing is lost. */
  readonly isNewer?: boolean
}

const MAGIC = Buffer.from('TMREPEAT')
const VERSION = 1
const HEAD_BYTES = 24
const BODY_FIXED_BYTES = 32
/** What it knows of the blocks before. */
const LACKING = 0
const WHOLE = 1
const BEGUN_ANEW = 2

export function encodeRepeats({ partition, position }: StateName, state: RepeatsState): Buffer {
  let length = HEAD_BYTES + BODY_FIXED_BYTES
  for (const id of state.agents.keys()) length += AGENT_FIXED_BYTES + Buffer.byteLength(id)
  for (const id of state.ids) length += 2 + Buffer.byteLength(id)
  const out = Buffer.alloc(length)
  const body = out.subarray(HEAD_BYTES)
  body.writeUInt32LE(partition, 0)
  body.writeBigInt64LE(BigInt(position), 4)
  writeWhole(body, state.nowMs, 12)
  body.writeUInt32LE(state.agents.size, 20)
  body.writeUInt32LE(state.ids.size, 24)
  body.writeUInt32LE(state.isBegunAnew ? BEGUN_ANEW : state.isWhole ? WHOLE : LACKING, 28)
  let at = BODY_FIXED_BYTES
  for (const [id, { seq, lastMs, movedMs }] of state.agents) {
    at = writeText(body, at, id)
    writeWhole(body, seq, at)
    writeWhole(body, lastMs, at + 8)
    writeWhole(body, movedMs, at + 16)
    at += 24
  }
  for (const id of state.ids) at = writeText(body, at, id)
  MAGIC.copy(out)
  out.writeUInt32LE(VERSION, 8)
  out.writeUInt32LE(body.length, 12)
  out.writeUInt32LE(crc32(body), 16)
  out.writeUInt32LE(crc32(out.subarray(0, 20)), 20)
  return out
}

/** The inverse; what is wrong with the bytes, when they are not the state of that name. Throws nothing. */
export function decodeRepeats(bytes: Uint8Array, name: StateName): RepeatsState | RepeatsDamage {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  if (file.length < HEAD_BYTES || !file.subarray(0, 8).equals(MAGIC)) return { damage: 'it is no such state' }
  if (file.readUInt32LE(20) !== crc32(file.subarray(0, 20))) return { damage: 'its head is damaged' }
  const version = file.readUInt32LE(8)
  if (version !== VERSION)
    return { damage: `it is of format ${version}, this release reads ${VERSION}`, isNewer: version > VERSION }
  const body = file.subarray(HEAD_BYTES)
  if (body.length !== file.readUInt32LE(12) || body.length < BODY_FIXED_BYTES)
    return { damage: 'it has another length than it says' }
  if (file.readUInt32LE(16) !== crc32(body)) return { damage: 'its checksum is wrong' }
  const [partition, position] = [body.readUInt32LE(0), Number(body.readBigInt64LE(4))]
  if (partition !== name.partition || position !== name.position)
    return { damage: `it is the state at ${partition}/${position}` }
  return decodeBody(body) ?? { damage: 'it has other contents than it says' }
}

function decodeBody(body: Buffer): RepeatsState | null {
  const agents = new Map<string, KnownAgent>()
  const ids = new Set<string>()
  const at = { byte: BODY_FIXED_BYTES }
  const [agentCount, idCount] = [body.readUInt32LE(20), body.readUInt32LE(24)]
  for (let i = 0; i < agentCount; i++) {
    const id = readText(body, at)
    if (id === null || at.byte + 24 > body.length) return null
    const [seq, lastMs, movedMs] = [0, 8, 16].map((more) => readWhole(body, at.byte + more))
    agents.set(id, { seq: seq!, lastMs: lastMs!, movedMs: movedMs! })
    at.byte += 24
  }
  for (let i = 0; i < idCount; i++) {
    const id = readText(body, at)
    if (id === null) return null
    ids.add(id)
  }
  const isRight = at.byte === body.length && agents.size === agentCount && ids.size === idCount
  if (!isRight) return null
  const known = body.readUInt32LE(28)
  const about = { isWhole: known === WHOLE, isBegunAnew: known === BEGUN_ANEW }
  return { nowMs: readWhole(body, 12), ...about, agents, ids }
}

function writeText(into: Buffer, at: number, text: string): number {
  const bytes = into.write(text, at + 2, 'utf8')
  into.writeUInt16LE(bytes, at)
  return at + 2 + bytes
}

function readText(from: Buffer, at: { byte: number }): string | null {
  const start = at.byte + 2
  if (start > from.length) return null
  const end = start + from.readUInt16LE(at.byte)
  if (end > from.length) return null
  at.byte = end
  return from.toString('utf8', start, end)
}

/** Writes a whole number from 0 to 2^53 − 1 as eight bytes. */
function writeWhole(into: Buffer, value: number, at: number): void {
  into.writeUInt32LE(value % 2 ** 32, at)
  into.writeUInt32LE(Math.floor(value / 2 ** 32), at + 4)
}

/** The inverse of `writeWhole`. */
function readWhole(from: Buffer, at: number): number {
  return from.readUInt32LE(at + 4) * 2 ** 32 + from.readUInt32LE(at)
}
