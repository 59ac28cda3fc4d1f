import { RECORD_HEAD_BYTES, writeRecordHead } from './record.ts'
import type { Segment } from './segment.ts'

/** Bytes of blocks that share one write and one sync, at most, unless a single block is larger. */
const GROUP_BYTES_MAX = 4 << 20

/** A block that was appended and is not yet durable. */
export interface Pending {
  readonly offset: number
  readonly logTimeMs: number
  readonly payload: Uint8Array
  readonly resolve: (offset: number) => void
  readonly reject: (error: Error) => void
}

/** How many of the first of `queue` share the next write. */
export function groupSize(queue: readonly Pending[]): number {
  let bytes = 0
  let n = 0
  while (n < queue.length && (n === 0 || bytes < GROUP_BYTES_MAX)) bytes += queue[n++]!.payload.length
  return n
}

/** Bytes that the records of `group` take. */
export function recordBytes(group: readonly Pending[]): number {
  return group.reduce((sum, { payload }) => sum + RECORD_HEAD_BYTES + payload.length, 0)
}

/** Where groups are put together, one after the other. */
export class GroupBuffer {
  #memory: Buffer = Buffer.alloc(0)

  /** The records of `group` at the end of `segment`, and where in its file each begins. Good until the next call. */
  records(group: readonly Pending[], segment: Segment): { bytes: Buffer; positions: number[] } {
    const length = recordBytes(group)
    if (this.#memory.length < length) this.#memory = Buffer.from(new ArrayBuffer(length))
    const bytes = this.#memory.subarray(0, length)
    const positions: number[] = []
    let at = 0
    for (const { payload, offset, logTimeMs } of group) {
      const position = segment.syncedBytes + at
      const about = { offset, logTimeMs, position, syncedTo: segment.syncedBytes, seed: segment.seed }
      writeRecordHead(bytes, at, payload, about)
      bytes.set(payload, at + RECORD_HEAD_BYTES)
      positions.push(position)
      at += RECORD_HEAD_BYTES + payload.length
    }
    return { bytes, positions }
  }
}
