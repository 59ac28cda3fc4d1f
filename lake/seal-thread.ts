import { parentPort } from 'node:worker_threads'
import { decodeBlock } from '../log/block-codec.ts'
import type { Block } from '../schemas/block.ts'
import { describeError } from '../schemas/errors.ts'
import { encodeSeal, mergeFiles, type SealFile, type SealFiles } from './seal-files.ts'

/** A seal to make: the payloads of blocks, one after the other, and of each block partition, offset and length. */
export interface SealJob {
  readonly payloads: Uint8Array
  readonly heads: Float64Array
}

/** Files of `messages` of one date to merge. */
export interface MergeJob {
  readonly inputs: readonly Uint8Array[]
  readonly date: string
}

export type SealReply = SealFiles | SealFile | { readonly error: string }

/** Numbers of one block in `heads`. */
export const HEAD_NUMBERS = 3

/** The body of a thread that makes files; who asks waits for the reply before asking again (`cli/host/seal-thread.ts`). */
parentPort?.on('message', async (job: SealJob | MergeJob) => {
  try {
    const reply = 'inputs' in job ? await mergeFiles(job.inputs, job.date) : encodeSeal(blocksOf(job))
    const files = 'files' in reply ? reply.files : [reply]
    parentPort!.postMessage(
      reply satisfies SealReply,
      files.map(({ bytes }) => bytes.buffer as ArrayBuffer),
    )
  } catch (error) {
    parentPort!.postMessage({ error: describeError(error) } satisfies SealReply)
  }
})

function blocksOf({ payloads, heads }: SealJob): Block[] {
  const blocks: Block[] = []
  for (let i = 0, at = 0; i < heads.length; i += HEAD_NUMBERS) {
    const [partition, offset, length] = heads.subarray(i, i + HEAD_NUMBERS) as unknown as [
      number,
      number,
      number,
    ]
    blocks.push({
      partition,
      offset,
      logTimeMs: 0,
      messages: decodeBlock(payloads.subarray(at, at + length)),
    })
    at += length
  }
  return blocks
}
