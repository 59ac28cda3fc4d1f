import type { Block } from '../schemas/block.ts'
import type { BlockDecoder } from './block-decoder.ts'
import type { BlockEncoder } from './block-encoder.ts'
import { alignedRoom } from './block-memory.ts'
import { StoredBlock } from './stored-block.ts'

/** Blocks on their way between threads: their payloads one after the other (`alignedRoom`), and what each of them is. */
export interface PackedBlocks {
  readonly payloads: Uint8Array
  /** Per block its partition, offset, log time and length. */
  readonly heads: Float64Array
  readonly ids: readonly (string | null)[]
}

const HEAD_NUMBERS = 4

/** Copies `blocks` together; `encoder` makes the bytes of those that have none at hand. */
export function packBlocks(blocks: readonly Block[], encoder: BlockEncoder): PackedBlocks {
  const parts = blocks.map((block) => block.payload ?? encoder.encode(block.messages))
  const payloads = new Uint8Array(parts.reduce((sum, { length }) => sum + alignedRoom(length), 0))
  const heads = new Float64Array(blocks.length * HEAD_NUMBERS)
  let at = 0
  for (let i = 0; i < blocks.length; i++) {
    const { partition, offset, logTimeMs } = blocks[i]!
    const head = i * HEAD_NUMBERS
    heads[head] = partition
    heads[head + 1] = offset
    heads[head + 2] = logTimeMs
    heads[head + 3] = parts[i]!.length
    at += alignedRoom(parts[i]!.length)
    payloads.set(parts[i]!, at - parts[i]!.length)
  }
  return { payloads, heads, ids: blocks.map(({ id }) => id ?? null) }
}

/** The inverse of `packBlocks`; `decoder` reads the blocks when they are looked at. */
export function unpackBlocks({ payloads, heads, ids }: PackedBlocks, decoder: BlockDecoder): StoredBlock[] {
  const blocks: StoredBlock[] = []
  let at = 0
  for (let i = 0; i < heads.length; i += HEAD_NUMBERS) {
    const length = heads[i + 3]!
    at += alignedRoom(length)
    const about = {
      partition: heads[i]!,
      offset: heads[i + 1]!,
      logTimeMs: heads[i + 2]!,
      id: ids[i / HEAD_NUMBERS]!,
    }
    blocks.push(new StoredBlock(decoder, about, payloads.subarray(at - length, at)))
  }
  return blocks
}

/** The memory of packed blocks, to be handed over instead of copied. */
export function memoryOf({ payloads, heads }: PackedBlocks): ArrayBuffer[] {
  return [payloads.buffer as ArrayBuffer, heads.buffer as ArrayBuffer]
}
