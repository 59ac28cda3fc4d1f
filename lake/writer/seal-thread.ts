import { parentPort } from 'node:worker_threads'
import type { Accepted } from '../../log/accepted.ts'
import { BlockDecoder } from '../../log/block-decoder.ts'
import { type PackedBlocks, unpackBlocks } from '../../log/packed-blocks.ts'
import type { Cells } from '../../schemas/cells.ts'
import type { Dataset } from '../../schemas/dataset.ts'
import { describeError } from '../../schemas/errors.ts'
import type { ErasedRows } from '../erase/condition.ts'
import { type CellFile, fileOfCells } from '../parquet/cells.ts'
import {
  encodeSeal,
  mergeFiles,
  type Rewritten,
  type SealedDataset,
  type SealFile,
  type SealFiles,
  withoutRows,
} from './seal-files.ts'

/** Blocks to seal. */
export interface SealJob {
  readonly datasets: readonly SealedDataset[]
  /** One after the other. */
  readonly packed: readonly PackedBlocks[]
  /** Which rows of each block count. */
  readonly rows: readonly Accepted['rows'][]
}

/** Files of a dataset's messages of one date to merge. */
export interface MergeJob {
  readonly dataset: Dataset
  readonly inputs: readonly Uint8Array[]
  readonly date: string
}

/** A file of a dataset's messages of one date to leave rows out of. */
export interface WithoutJob {
  readonly dataset: Dataset
  readonly without: ErasedRows
  readonly input: Uint8Array
  readonly date: string
}

/** Cells of a view to make one file of. */
export interface CellsJob {
  readonly parts: readonly Cells[]
}

export type SealReply = SealFiles | SealFile | Rewritten | CellFile | { readonly error: string }

const decoder = new BlockDecoder()

type Job = SealJob | MergeJob | WithoutJob | CellsJob

async function done(job: Job): Promise<SealFiles | SealFile | Rewritten | CellFile> {
  if ('parts' in job) return fileOfCells(job.parts)
  if ('without' in job) return withoutRows(job.dataset, job.input, job.date, job.without)
  if ('inputs' in job) return mergeFiles(job.dataset, job.inputs, job.date)
  const blocks = job.packed.flatMap((packed) => unpackBlocks(packed, decoder))
  return encodeSeal(
    job.datasets,
    blocks.map((block, i) => ({ block, rows: job.rows[i]! })),
  )
}

/** The memory of the files in a reply, which is given away. */
function memoryIn(reply: SealFiles | SealFile | Rewritten | CellFile): ArrayBuffer[] {
  const files = 'files' in reply ? reply.files : 'erased' in reply ? [reply.file] : [reply]
  return files.flatMap((file) => (file === null ? [] : [file.bytes.buffer as ArrayBuffer]))
}

/**
 * The body of a thread that makes files, of the blocks of a seal or of files to merge; it takes one job at a time, and the
 * next only after its reply (`cli/host/seal-thread.ts`).
 */
parentPort?.on('message', async (job: Job) => {
  try {
    const reply = await done(job)
    parentPort!.postMessage(reply satisfies SealReply, memoryIn(reply))
  } catch (error) {
    parentPort!.postMessage({ error: describeError(error) } satisfies SealReply)
  }
})
