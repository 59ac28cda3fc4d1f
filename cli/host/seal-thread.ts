import { Worker } from 'node:worker_threads'
import type { SealEncoder } from '../../lake/seal-files.ts'
import { HEAD_NUMBERS, type SealJob, type SealReply } from '../../lake/seal-thread.ts'
import { encodeBlock } from '../../log/block-codec.ts'
import type { Block } from '../../schemas/block.ts'
import { TidemarkError } from '../../schemas/errors.ts'

/** Encodes seals in a thread of their own, so that sorting and compressing hold up neither senders nor queries. */
export function sealThread(): SealEncoder {
  let worker: Worker | null = null

  function start(): Worker {
    return new Worker(new URL('./seal-worker.ts', import.meta.url))
  }

  return {
    encode(blocks) {
      worker ??= start()
      const thread = worker
      return new Promise((resolve, reject) => {
        const fail = (error: Error) => {
          worker = null
          done()
          reject(
            new TidemarkError('E_ENGINE', `the sealing thread ended: ${error.message}`, { cause: error }),
          )
        }
        const exited = () => fail(new Error('it was stopped'))
        const take = (reply: SealReply) => {
          done()
          if ('error' in reply) reject(new TidemarkError('E_ENGINE', reply.error))
          else resolve(reply)
        }
        function done() {
          thread.off('message', take).off('error', fail).off('exit', exited).unref()
        }
        thread.on('message', take).on('error', fail).on('exit', exited)
        // Only while it works does it keep the process alive.
        thread.ref()
        const job = jobOf(blocks)
        thread.postMessage(job, [job.payloads.buffer as ArrayBuffer, job.heads.buffer as ArrayBuffer])
      })
    },
    async close() {
      await worker?.terminate()
      worker = null
    },
  }
}

function jobOf(blocks: readonly Block[]): SealJob {
  const payloads = blocks.map((block) => block.payload ?? encodeBlock(block.messages))
  const all = new Uint8Array(payloads.reduce((sum, { length }) => sum + length, 0))
  const heads = new Float64Array(blocks.length * HEAD_NUMBERS)
  let at = 0
  for (const [i, payload] of payloads.entries()) {
    all.set(payload, at)
    heads.set([blocks[i]!.partition, blocks[i]!.offset, payload.length], i * HEAD_NUMBERS)
    at += payload.length
  }
  return { payloads: all, heads }
}
