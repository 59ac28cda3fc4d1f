import { Worker } from 'node:worker_threads'
import { ERRORS, type ErrorCode, TidemarkError } from '../../schemas/errors.ts'
import type { FillJob, IndexLoader } from '../../serving/index/loader.ts'
import type { LoaderReply } from '../../serving/index/loader-thread.ts'

const WORKER = new URL('./index-worker.ts', import.meta.url)

/** Fills the serving index and decodes files in a thread of its own, so that answers never wait for it. */
export function indexThread(): IndexLoader {
  const waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>()
  let worker: Worker | null = null
  let nextId = 1

  function begin(): Worker {
    const begun = new Worker(WORKER)
    begun.on('message', (reply: LoaderReply) => {
      const call = waiting.get(reply.id)
      waiting.delete(reply.id)
      if ('error' in reply) call?.reject(errorOf(reply.error))
      else call?.resolve(reply.value)
    })
    begun.on('error', (error) => end(error.message))
    begun.on('exit', () => end('it was stopped'))
    // It does not keep a process alive that has nothing else to do.
    begun.unref()
    return begun
  }

  function end(reason: string) {
    worker = null
    const ended = new TidemarkError('E_ENGINE', `the thread of the serving index ended: ${reason}`)
    for (const { reject } of waiting.values()) reject(ended)
    waiting.clear()
  }

  function call<T>(
    name: keyof IndexLoader,
    values: readonly unknown[],
    memory: ArrayBuffer[] = [],
  ): Promise<T> {
    worker ??= begin()
    const to = worker
    const id = nextId++
    return new Promise((resolve, reject) => {
      waiting.set(id, { resolve: resolve as (value: unknown) => void, reject })
      to.postMessage({ id, name, values }, memory)
    })
  }

  return {
    open: (path) => call('open', [path]),
    filled: (view) => call('filled', [view]),
    fill: (job) => call('fill', [job], memoryOf(job)),
    keep: (...values) => call('keep', values),
    dropOthers: (...values) => call('dropOthers', values),
    dropViews: (views) => call('dropViews', [views]),
    decode: (...values) => call('decode', values),
    async close() {
      if (worker === null) return
      await call('close', [])
      await worker.terminate()
    },
  }
}

/** The memory of a file that nothing else lies in: it is handed over. */
function memoryOf({ bytes }: FillJob): ArrayBuffer[] {
  return bytes.byteLength === bytes.buffer.byteLength ? [bytes.buffer as ArrayBuffer] : []
}

function errorOf({ message, code }: { message: string; code: string | null }): Error {
  if (code !== null && code in ERRORS) return new TidemarkError(code as ErrorCode, message)
  return Object.assign(new Error(message), { code })
}
