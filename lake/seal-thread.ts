import { parentPort } from 'node:worker_threads'
import { type PackedBlocks, unpackBlocks } from '../log/packed-blocks.ts'
import { describeError } from '../schemas/errors.ts'
import { encodeSeal, mergeFiles, type SealFile, type SealFiles } from './seal-files.ts'

/** Files of `messages` of one date to merge. */
export interface MergeJob {
  readonly inputs: readonly Uint8Array[]
  readonly date: string
}

export type SealReply = SealFiles | SealFile | { readonly error: string }

/** The body of a thread that makes files, of the blocks of a seal or of files to merge; who asks waits for the reply before asking again (`cli/host/seal-thread.ts`). */
parentPort?.on('message', async (job: PackedBlocks | MergeJob) => {
  try {
    const reply = 'inputs' in job ? await mergeFiles(job.inputs, job.date) : encodeSeal(unpackBlocks(job))
    const files = 'files' in reply ? reply.files : [reply]
    parentPort!.postMessage(
      reply satisfies SealReply,
      files.map(({ bytes }) => bytes.buffer as ArrayBuffer),
    )
  } catch (error) {
    parentPort!.postMessage({ error: describeError(error) } satisfies SealReply)
  }
})
