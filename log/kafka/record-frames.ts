import { TidemarkError } from '../../schemas/errors.ts'
import type { FetchedRecord } from './client.ts'

/**
 * Records of one partition as a stream of bytes, as another program hands them over; numbers are little-endian:
 *
 *     u64 offset │ u8 length of the header, 255 for none │ u32 length of the value │ header │ value
 */
const HEAD_BYTES = 13
const NO_HEADER = 255

/**
 * The records in a stream, in groups of about `bytesMax`. Throws `E_LOG` for a stream that ends within a record; the groups
 * before are whole.
 */
export async function* recordGroups(
  stream: AsyncIterable<Buffer>,
  bytesMax: number,
): AsyncGenerator<FetchedRecord[]> {
  let group: FetchedRecord[] = []
  let groupBytes = 0
  let rest: Buffer = Buffer.alloc(0)
  let parts: Buffer[] = []
  let partsBytes = 0
  for await (const part of stream) {
    parts.push(part)
    partsBytes += part.length
    // A long record comes in many parts, which are put together once.
    if (rest.length + partsBytes < neededFor(rest)) continue
    rest = Buffer.concat([rest, ...parts])
    parts = []
    partsBytes = 0
    for (let bytes = neededFor(rest); rest.length >= bytes; bytes = neededFor(rest)) {
      group.push(recordIn(rest))
      groupBytes += bytes
      rest = rest.subarray(bytes)
      if (groupBytes < bytesMax) continue
      yield group
      group = []
      groupBytes = 0
    }
  }
  if (rest.length + partsBytes > 0) throw new TidemarkError('E_LOG', 'the records end in the middle of one')
  if (group.length > 0) yield group
}

/** Bytes of the record that begins there; of its head alone while that is not there. */
function neededFor(bytes: Buffer): number {
  if (bytes.length < HEAD_BYTES) return HEAD_BYTES
  const headerBytes = bytes.readUInt8(8)
  return HEAD_BYTES + (headerBytes === NO_HEADER ? 0 : headerBytes) + bytes.readUInt32LE(9)
}

function recordIn(bytes: Buffer): FetchedRecord {
  const headerBytes = bytes.readUInt8(8)
  const at = HEAD_BYTES + (headerBytes === NO_HEADER ? 0 : headerBytes)
  return {
    offset: Number(bytes.readBigUInt64LE(0)),
    header: headerBytes === NO_HEADER ? null : bytes.subarray(HEAD_BYTES, at),
    value: bytes.subarray(at, neededFor(bytes)),
  }
}
