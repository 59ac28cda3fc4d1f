/**
 * What a record carries besides its block, in the header `tidemark`:
 *
 *     u8 version = 1 │ u64 log time, milliseconds, little-endian │ 16 random bytes: the id of the block
 *
 * The id is given once, when the block is appended: a group that is sent again after a lost answer has the same ones.
 */
export const RECORD_VERSION = 1
/** Greater ones are no version but a letter: another program put text there. */
const VERSION_MAX = 31
export const ID_BYTES = 16
const HEADER_BYTES = 9 + ID_BYTES

export function encodeRecordHeader(logTimeMs: number, id: string): Buffer {
  const header = Buffer.alloc(HEADER_BYTES)
  header.writeUInt8(RECORD_VERSION, 0)
  header.writeBigUInt64LE(BigInt(logTimeMs), 1)
  header.write(id, 9, 'hex')
  return header
}

/** The version of a header that a newer release wrote, which may have any length; else null. */
export function newerVersion(header: Buffer | null): number | null {
  const version = header?.[0] ?? 0
  return version > RECORD_VERSION && version <= VERSION_MAX ? version : null
}

/** Null for what is none of ours. */
export function decodeRecordHeader(header: Buffer | null): { logTimeMs: number; id: string } | null {
  if (header?.length !== HEADER_BYTES || header[0] !== RECORD_VERSION) return null
  const logTimeMs = Number(header.readBigUInt64LE(1))
  return Number.isSafeInteger(logTimeMs) ? { logTimeMs, id: header.toString('hex', 9) } : null
}
