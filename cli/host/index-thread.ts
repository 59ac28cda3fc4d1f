import { Worker } from 'node:worker_threads'
import { Calls, Transferred } from '../../schemas/calls.ts'
import { TidemarkError } from '../../schemas/errors.ts'
import type { FillJob, IndexLoader } from '../../serving/index/loader.ts'
import type { LoaderCall } from '../../serving/index/loader-thread.ts'
import { portChannel } from './port-channel.ts'

const WORKER = new URL('./index-worker.ts', import.meta.url)

/** Fills the serving index and decodes files in a thread of its own, so that answers never wait for it. */
export function indexThread(): IndexLoader {
  let thread: { readonly worker: Worker; readonly calls: Calls } | null = null

  function begin() {
    const worker = new Worker(WORKER)
    const calls = new Calls(portChannel(worker))
    const ended = (reason: string) => {
      thread = null
      calls.end(new TidemarkError('E_ENGINE', `the thread of the serving index ended: ${reason}`))
    }
    worker.on('error', (error) => ended(error.message))
    worker.on('exit', () => ended('it was stopped'))
    // It does not keep a process alive that has nothing else to do.
    worker.unref()
    return { worker, calls }
  }

  function ask<T>(
    name: LoaderCall,
    values: readonly unknown[],
    memory: readonly ArrayBuffer[] = [],
  ): Promise<T> {
    thread ??= begin()
    return thread.calls.call(name, new Transferred(values, memory))
  }

  return {
    open: (path) => ask('open', [path]),
    filled: (view) => ask('filled', [view]),
    fill: (job) => ask('fill', [job], memoryOf(job)),
    kept: (...values) => ask('kept', values),
    dropOthers: (...values) => ask('dropOthers', values),
    dropViews: (views) => ask('dropViews', [views]),
    decode: (...values) => ask('decode', values),
    beginParquet: (columns) => ask('beginParquet', [columns]),
    addParquet: (...values) => ask('addParquet', values),
    endParquet: (id) => ask('endParquet', [id]),
    dropParquet: (id) => ask('dropParquet', [id]),
    async close() {
      if (thread === null) return
      const { worker } = thread
      await ask('close', [])
      await worker.terminate()
    },
  }
}

/** The memory of a file that nothing else lies in: it is handed over. */
function memoryOf({ bytes }: FillJob): ArrayBuffer[] {
  return bytes.byteLength === bytes.buffer.byteLength ? [bytes.buffer as ArrayBuffer] : []
}
