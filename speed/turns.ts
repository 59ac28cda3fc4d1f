import type { LogSlice } from '../log/port.ts'
import type { Block } from '../schemas/block.ts'
import type { Gap } from '../schemas/position.ts'

/** What a reader of the log gets after `from` and up to `to`. */
export interface Turn {
  readonly from: number
  readonly blocks: readonly Block[]
  readonly gaps: readonly Gap[]
  readonly to: number
  /** Log time at `to`. */
  readonly toMs: number
}

/** Blocks and their bytes that are folded in one turn: 64 of 50 messages are some 15 ms of work for two views. */
const BLOCKS_MAX = 64
const BYTES_MAX = 128 << 10

/**
 * What the log gave after `from`, in consecutive parts of so little work that others can have their turn between them. A gap
 * lies in the part of the block behind it.
 */
export function* inTurns(slice: LogSlice, from: number): Generator<Turn> {
  let begin = from
  let blocks: Block[] = []
  let bytes = 0
  const turn = (to: number, toMs: number): Turn => {
    const gaps = slice.gaps.filter((gap) => gap.to > begin && gap.to <= to)
    return { from: begin, blocks, gaps, to, toMs }
  }
  for (const block of slice.blocks.slice(0, -1)) {
    blocks.push(block)
    bytes += block.payload?.length ?? 0
    if (blocks.length < BLOCKS_MAX && bytes < BYTES_MAX) continue
    yield turn(block.offset, block.logTimeMs)
    begin = block.offset
    blocks = []
    bytes = 0
  }
  blocks.push(...slice.blocks.slice(-1))
  yield turn(slice.to, slice.toMs)
}
