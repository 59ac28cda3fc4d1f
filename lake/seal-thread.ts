import { parentPort } from 'node:worker_threads'
import { decodeBlock } from '../log/block-codec.ts'
import type { Block } from '../schemas/block.ts'
import { describeError } from '../schemas/errors.ts'
import { encodeSeal, type SealFiles } from './seal-files.ts'

/** What goes to the thread: the payloads of blocks, one after the other, and of each block partition, offset and length. */
export interface SealJob {
  readonly payloads: Uint8Array
  readonly heads: Float64Array
}

export type SealReply = SealFiles | { readonly error: string }

/** Numbers of one block in `heads`. */
export const HEAD_NUMBERS = 3

/** The body of a thread that encodes seals, one after the other (`cli/host/seal-thread.ts`). */
parentPort?.on('message', (job: SealJob) => {
  try {
    const reply = encodeSeal(blocksOf(job))
    parentPort!.postMessage(
      reply satisfies SealReply,
      reply.files.map(({ bytes }) => bytes.buffer as ArrayBuffer),
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
