import { setTimeout as wait } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import type { CellFile } from '../../lake/parquet/cells.ts'
import { alone } from '../../lake/parquet/codec.ts'
import type { Rewritten, SealEncoder, SealFile, SealFiles } from '../../lake/writer/seal-files.ts'
import type { CellsJob, MergeJob, SealJob, SealReply, WithoutJob } from '../../lake/writer/seal-thread.ts'
import { BlockEncoder } from '../../log/block-encoder.ts'
import { memoryOf, type PackedBlocks, packBlocks } from '../../log/packed-blocks.ts'
import { memoryOf as memoryOfCells } from '../../schemas/cells.ts'
import { TidemarkError } from '../../schemas/errors.ts'
import { serialQueue } from '../../schemas/serial-queue.ts'
import { eventLoopTurn } from './turn.ts'

/** Sealing can wait, messages and queries should not: on Linux a thread can have a priority of its own. */
const NICE = 10
/** After an urgent job all are done by a thread that is not nice, for so long: to begin another costs a second of compiling. */
const URGENT_MS = 60_000
/** A job under way is waited for so long when the thread is closed. */
const CLOSE_MS_MAX = 2_000
/** Blocks that are copied together between two turns of others: some two megabytes. */
const BLOCKS_AT_ONCE = 500
const WORKER = new URL('./seal-worker.ts', import.meta.url)

/**
 * Makes the files of seals and merges in a thread of their own, so that sorting and compressing hold up neither senders nor
 * queries. The thread has one job at a time; bytes go there and back without being copied.
 */
export function sealThread(): SealEncoder {
  let worker: { readonly thread: Worker; readonly nice: number } | null = null
  let urgentAtMs = Number.NEGATIVE_INFINITY
  let closed = false
  const encoder = new BlockEncoder()
  const inTurn = serialQueue()

  async function ask<Reply extends SealReply>(
    job: SealJob | MergeJob | WithoutJob | CellsJob,
    memory: ArrayBuffer[],
    urgent = false,
  ): Promise<Reply> {
    if (urgent) urgentAtMs = performance.now()
    const nice = performance.now() - urgentAtMs < URGENT_MS ? 0 : NICE
    // Only the system's administrator may make a thread less nice than it is: another takes its place.
    if (worker !== null && worker.nice !== nice) {
      await worker.thread.terminate()
      worker = null
    }
    if (closed) throw ended(new Error('it is closed'))
    worker ??= { thread: new Worker(WORKER, { workerData: { nice } }), nice }
    const { thread } = worker
    return new Promise((resolve, reject) => {
      const fail = (error: Error) => {
        worker = null
        done()
        reject(ended(error))
      }
      const exited = () => fail(new Error('it was stopped'))
      const take = (reply: SealReply) => {
        done()
        if ('error' in reply) reject(new TidemarkError('E_ENGINE', reply.error))
        else resolve(reply as Reply)
      }
      function done() {
        thread.off('message', take).off('error', fail).off('exit', exited).unref()
      }
      thread.on('message', take).on('error', fail).on('exit', exited)
      // Only while it works does it keep the process alive.
      thread.ref()
      thread.postMessage(job, memory)
    })
  }

  return {
    encode: (datasets, accepted, urgent = false) =>
      inTurn(async () => {
        const blocks = accepted.map(({ block }) => block)
        const rows = accepted.map((one) => one.rows)
        const packed: PackedBlocks[] = []
        for (let from = 0; from < blocks.length; from += BLOCKS_AT_ONCE) {
          if (from > 0) await eventLoopTurn()
          packed.push(packBlocks(blocks.slice(from, from + BLOCKS_AT_ONCE), encoder))
        }
        return ask<SealFiles>({ datasets, packed, rows }, packed.flatMap(memoryOf), urgent)
      }),
    merge: (dataset, files, date) =>
      inTurn(async () => {
        const inputs = files.map(alone)
        return ask<SealFile>(
          { dataset, inputs, date },
          inputs.map(({ buffer }) => buffer as ArrayBuffer),
        )
      }),
    without: (dataset, bytes, date, without) =>
      inTurn(async () => {
        const input = alone(bytes)
        return ask<Rewritten>({ dataset, input, date, without }, [input.buffer as ArrayBuffer])
      }),
    encodeCells: (parts) => inTurn(() => ask<CellFile>({ parts }, parts.flatMap(memoryOfCells))),
    async close() {
      closed = true
      // A thread that is ended while it compresses can take the process with it: Node asserts in zlib.
      await Promise.race([inTurn(async () => {}), wait(CLOSE_MS_MAX, undefined, { ref: false })])
      await worker?.thread.terminate()
      worker = null
    },
  }
}

function ended(cause: Error): TidemarkError {
  return new TidemarkError('E_ENGINE', `the sealing thread ended: ${cause.message}`, { cause })
}
