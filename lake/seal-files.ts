import type { Block } from '../schemas/block.ts'
import type { FileAbout } from './delta/port.ts'
import { decodeMessages, describeMessages, encodeMessages, joinRows } from './parquet/messages.ts'
import { type MessageRows, sortRows } from './parquet/order.ts'
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

/** Makes the files of seals and merges: at once in this thread, or in another (`sealThread`). */
export interface SealEncoder {
  /** `urgent` when sealing has fallen far behind: then it should not let others go first. */
  encode(blocks: readonly Block[], urgent?: boolean): Promise<SealFiles>
  /** One file of the rows of `inputs`, files of `messages` of one date. The inputs are used up. */
  merge(inputs: readonly Uint8Array[], date: string): Promise<SealFile>
  close(): Promise<void>
}

/** Sorts and encodes as many of `blocks` as the limit of dates allows, at least one; one file a date. */
export function encodeSeal(blocks: readonly Block[]): SealFiles {
  const batch = new SealBatch()
  let n = 0
  while (n < blocks.length && (n === 0 || batch.dates < SEAL_DATES_MAX)) batch.add(blocks[n++]!)
  return { blocks: n, files: batch.byDate().map(([date, rows]) => fileOf(rows, date)) }
}

/** The file that holds the rows of `inputs`, which are files of `messages` of one date. */
export async function mergeFiles(inputs: readonly Uint8Array[], date: string): Promise<SealFile> {
  const parts: MessageRows[] = []
  for (const bytes of inputs) parts.push(await decodeMessages(bytes))
  return fileOf(joinRows(parts), date)
}

function fileOf(rows: MessageRows, date: string): SealFile {
  const sorted = sortRows(rows)
  return { bytes: encodeMessages(sorted), about: describeMessages(sorted, date) }
}

/** Encodes in the thread that asks. */
export const encodeHere: SealEncoder = {
  encode: async (blocks) => encodeSeal(blocks),
  merge: mergeFiles,
  close: async () => {},
}
