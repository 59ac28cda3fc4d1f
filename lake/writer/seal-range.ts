import type { LogReader } from '../../log/port.ts'
import { readKept } from '../../log/read-kept.ts'
import type { Block } from '../../schemas/block.ts'
import { type Gap, mergeGaps } from '../../schemas/position.ts'

/** Bytes of blocks that one seal holds at most: what its encoding takes in memory grows with it. */
const SEAL_BYTES_MAX = 16 << 20
/** Blocks that one seal holds at most; when so many wait in the log they are sealed without being asked. */
export const SEAL_BLOCKS_MAX = 4_000
/** As many as speed asks for, for the same reason. */
const BLOCKS_PER_READ = 2_048

/** A range of the log that a seal is made of. */
export interface SealRange {
  readonly blocks: readonly Block[]
  readonly gaps: readonly Gap[]
  readonly to: number
  /** Log time at `to`. */
  readonly toMs: number
}

/** Where a range begins. */
export interface SealFrom {
  readonly partition: number
  readonly from: number
  /** Log time at `from`, 0 when not known. */
  readonly fromMs: number
}

/**
 * Whether so much waits for the lake that it is sealed unasked: as many blocks as one seal takes, or more than half of the bytes
 * at which senders wait.
 */
export function isSealDue(blocks: number, bytes: number, bytesMax = Number.POSITIVE_INFINITY): boolean {
  return blocks >= SEAL_BLOCKS_MAX || bytes > bytesMax / 2
}

/** Blocks after `from` and not behind `target`, as many as one seal takes. What was trimmed is a gap. */
export async function readRange(
  log: Pick<LogReader, 'start' | 'read'>,
  { partition, from, fromMs }: SealFrom,
  target: number,
): Promise<SealRange> {
  const blocks: Block[] = []
  let gaps: Gap[] = []
  let to = from
  let toMs = fromMs
  let bytes = 0
  while (to < target && bytes < SEAL_BYTES_MAX && blocks.length < SEAL_BLOCKS_MAX) {
    const blocksMax = Math.min(BLOCKS_PER_READ, SEAL_BLOCKS_MAX - blocks.length)
    const slice = await readKept(log, { partition, after: to, afterMs: toMs }, blocksMax)
    if (slice.to === to) break
    for (const block of slice.blocks) {
      blocks.push(block)
      bytes += block.payload?.length ?? 0
    }
    gaps = mergeGaps(gaps, slice.gaps)
    to = slice.to
    toMs = slice.toMs
  }
  return { blocks, gaps, to, toMs }
}

/** The part of `range` that ends with this block of it. */
export function upToBlock(range: SealRange, { offset, logTimeMs }: Block): SealRange {
  return {
    blocks: range.blocks.filter((block) => block.offset <= offset),
    gaps: range.gaps.filter((gap) => gap.to < offset),
    to: offset,
    toMs: logTimeMs,
  }
}
