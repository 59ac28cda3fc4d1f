import { crc32 } from 'node:zlib'
import { crcOf } from './data-files.ts'

/**
 * A checkpoint vouches for itself: its metadata hold the CRC-32 of the whole file as it is with zeros in the place of that
 * sum's digits. So the sum is found and compared before anything is decoded:
 *
 *     … key_value_metadata: { key: tidemark.crc32 │ 0x18 0x08 │ value: 8 hexadecimal digits } …
 *                                                   └ Thrift's compact protocol: field 2, 8 bytes
 */
export const SUM_KEY = 'tidemark.crc32'
export const NO_SUM = '00000000'

const MARK = Buffer.concat([Buffer.from(SUM_KEY), Buffer.from([0x18, NO_SUM.length])])

/** Puts the sum of a file that was written with `NO_SUM` in its place. */
export function putSum(bytes: Uint8Array): void {
  const at = placeOf(bytes)
  if (at === null) throw new Error('the file has no place for its checksum')
  bytes.set(Buffer.from(sumOf(bytes, at)), at)
}

/** Whether the sum is right; null when there is none: another writer's, or one of an earlier release. */
export function isSumRight(bytes: Uint8Array): boolean | null {
  const at = placeOf(bytes)
  if (at === null) return null
  return Buffer.from(bytes.subarray(at, at + NO_SUM.length)).toString('latin1') === sumOf(bytes, at)
}

/** Metadata end the file, so the last place that looks like it is it. */
function placeOf(bytes: Uint8Array): number | null {
  const found = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).lastIndexOf(MARK)
  const at = found + MARK.length
  return found < 0 || at + NO_SUM.length > bytes.length ? null : at
}

function sumOf(bytes: Uint8Array, at: number): string {
  const head = crc32(NO_SUM, crc32(bytes.subarray(0, at)))
  return crcOf(bytes.subarray(at + NO_SUM.length), head)
}
