import type { Block } from '../schemas/block.ts'
import type { FileAbout } from './delta/port.ts'
import { describeMessages, encodeMessages } from './parquet/messages.ts'
import { sortRows } from './parquet/order.ts'
import { SealBatch } from './seal.ts'

/** Partitions (dates) that one seal touches at most: each is a file. */
export const SEAL_DATES_MAX = 64

/** A data file of `messages`, not yet stored. */
export interface SealFile {
  readonly bytes: Uint8Array
  readonly about: FileAbout
}

/** The files that hold the first `blocks` of the blocks given. */
export interface SealFiles {
  readonly blocks: number
  readonly files: readonly SealFile[]
}

/** Makes the files of a seal: at once in this thread, or in another (`sealThread`). */
export interface SealEncoder {
  encode(blocks: readonly Block[]): Promise<SealFiles>
  close(): Promise<void>
}

/** Sorts and encodes as many of `blocks` as the limit of dates allows, at least one; one file a date. */
export function encodeSeal(blocks: readonly Block[]): SealFiles {
  const batch = new SealBatch()
  let n = 0
  while (n < blocks.length && (n === 0 || batch.dates < SEAL_DATES_MAX)) batch.add(blocks[n++]!)
  const files = batch.byDate().map(([date, rows]) => {
    const sorted = sortRows(rows)
    return { bytes: encodeMessages(sorted), about: describeMessages(sorted, date) }
  })
  return { blocks: n, files }
}

/** Encodes in the thread that asks. */
export const encodeHere: SealEncoder = {
  encode: async (blocks) => encodeSeal(blocks),
  close: async () => {},
}
