import type { FetchedRecord } from '../../../log/kafka/client.ts'

/** A record in the bytes that log/kafka/record-frames.ts reads. */
export function frameOf({ offset, header, value }: FetchedRecord): Buffer {
  const head = Buffer.alloc(13)
  head.writeBigUInt64LE(BigInt(offset), 0)
  head.writeUInt8(header?.length ?? 255, 8)
  head.writeUInt32LE(value.length, 9)
  return Buffer.concat([head, header ?? Buffer.alloc(0), value])
}
