import { crc32 } from 'node:zlib'

/**
 * The partition of `partitions` (ascending) that the messages of `agent` go to: the CRC-32 of its id in UTF-8, modulo their
 * number. Every collector computes the same, so that the numbers of an agent stand in one partition in their order.
 */
export function partitionOf(agent: string, partitions: readonly number[]): number {
  return partitions[crc32(agent) % partitions.length]!
}
