import { crc32 } from './crc32.ts'

/**
 * How everything in a spool's file is framed, integers little-endian:
 *
 *     u32 bytes of the payload │ u32 CRC-32 of these four bytes and the payload │ payload, JSON
 */
export const FRAME_BYTES = 8
/** No payload is longer: names have 128 characters. */
const PAYLOAD_BYTES_MAX = 8_192

/** A payload that was read, and where in the file it ends. */
export interface Framed {
  readonly payload: unknown
  readonly end: number
}

export function frame(payload: unknown): Buffer {
  const json = Buffer.from(JSON.stringify(payload))
  const bytes = Buffer.allocUnsafe(FRAME_BYTES + json.length)
  bytes.writeUInt32LE(json.length, 0)
  json.copy(bytes, FRAME_BYTES)
  bytes.writeUInt32LE(sumOf(bytes), 4)
  return bytes
}

/** Returns what is framed at `at`; null when that is damaged, torn, or no frame. */
export function readFrame(bytes: Buffer, at: number): Framed | null {
  if (at + FRAME_BYTES > bytes.length) return null
  const end = at + FRAME_BYTES + bytes.readUInt32LE(at)
  if (end > bytes.length || end - at > PAYLOAD_BYTES_MAX) return null
  const framed = bytes.subarray(at, end)
  if (framed.readUInt32LE(4) !== sumOf(framed)) return null
  try {
    return { payload: JSON.parse(framed.toString('utf8', FRAME_BYTES)), end }
  } catch {
    return null
  }
}

/**
 * Returns where the next whole frame behind a damaged one begins, whose length may be what is damaged; the end when there
 * is none.
 */
export function nextFrame(bytes: Buffer, at: number): number {
  let next = at + 1
  while (next < bytes.length && readFrame(bytes, next) === null) next += 1
  return next
}

function sumOf(framed: Buffer): number {
  return crc32(framed.subarray(FRAME_BYTES), crc32(framed.subarray(0, 4)))
}
