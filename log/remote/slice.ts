import type { Gap } from '../../schemas/position.ts'
import type { LogSlice } from '../port.ts'
import { StoredBlock } from '../stored-block.ts'

/** A slice of the log on its way between threads: the blocks' payloads one after the other, and where each one ends. */
export interface SentSlice {
  readonly payloads: Uint8Array
  /** Per block its offset, log time and length. */
  readonly heads: Float64Array
  readonly gaps: readonly Gap[]
  readonly to: number
  readonly toMs: number
}

const HEAD_NUMBERS = 3

/** `slice`, whose blocks all have payloads, as it is sent. */
export function sentSlice({ blocks, gaps, to, toMs }: LogSlice): SentSlice {
  const payloads = new Uint8Array(blocks.reduce((sum, { payload }) => sum + payload!.length, 0))
  const heads = new Float64Array(blocks.length * HEAD_NUMBERS)
  let at = 0
  for (let i = 0; i < blocks.length; i++) {
    const { offset, logTimeMs, payload } = blocks[i]!
    payloads.set(payload!, at)
    heads[i * HEAD_NUMBERS] = offset
    heads[i * HEAD_NUMBERS + 1] = logTimeMs
    heads[i * HEAD_NUMBERS + 2] = payload!.length
    at += payload!.length
  }
  return { payloads, heads, gaps, to, toMs }
}

/** The inverse of `sentSlice`. */
export function receivedSlice({ payloads, heads, gaps, to, toMs }: SentSlice, partition: number): LogSlice {
  const blocks: StoredBlock[] = []
  let at = 0
  for (let i = 0; i < heads.length; i += HEAD_NUMBERS) {
    const end = at + heads[i + 2]!
    blocks.push(new StoredBlock(partition, heads[i]!, heads[i + 1]!, payloads.subarray(at, end)))
    at = end
  }
  return { blocks, gaps, to, toMs }
}
