import * as zlib from 'node:zlib'

/** Node has it since 20.15 and 22.2. */
const native: typeof zlib.crc32 | undefined = zlib.crc32

/** Returns the CRC-32 (ISO 3309, as in zlib) of what `before` is that of, followed by `bytes`. */
export function crc32(bytes: Uint8Array, before = 0): number {
  return native === undefined ? crc32ByTable(bytes, before) : native(bytes, before)
}

/** The remainders of all bytes, by the reversed polynomial. */
const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let rest = byte
  for (let bit = 0; bit < 8; bit++) rest = rest & 1 ? (rest >>> 1) ^ 0xedb88320 : rest >>> 1
  return rest
})

/** The same without Node's help. */
export function crc32ByTable(bytes: Uint8Array, before = 0): number {
  let rest = ~before
  for (const byte of bytes) rest = (rest >>> 8) ^ TABLE[(rest ^ byte) & 0xff]!
  return ~rest >>> 0
}
