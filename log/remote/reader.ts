import { type PackedBlocks, unpackBlocks } from '../packed-blocks.ts'
import type { LogReader, LogSlice, LogState } from '../port.ts'
import type { Calls } from './calls.ts'

/** What a reader in another thread knows of the log without asking. */
export interface LogView {
  readonly partition: number
  readonly end: number
  readonly start: number
  readonly state: LogState
}

/** A slice of the log on its way between threads. */
export interface SentSlice extends Omit<LogSlice, 'blocks'> {
  readonly packed: PackedBlocks
}

/**
 * A log that lives in another thread, where `serveLog` answers. That it grew is told at once, and before the sender gets its
 * acknowledgement; the blocks are fetched by whoever wants them, so that none pile up here when this thread is busy.
 */
export function remoteLog(first: LogView, calls: Calls): LogReader {
  let view = first
  const listeners = new Set<() => void>()
  calls.on('log changed', (next: LogView) => {
    view = next
    for (const fn of [...listeners]) fn()
  })
  return {
    partition: first.partition,
    end: () => view.end,
    start: () => view.start,
    state: () => view.state,
    async read(after, blocksMax) {
      const { packed, ...slice } = await calls.call<SentSlice>('read log', { after, blocksMax })
      return { ...slice, blocks: unpackBlocks(packed) }
    },
    covered: (to) => calls.tell('log covered', to),
    trim: (to) => calls.call('trim log', to),
    onAppend(fn) {
      listeners.add(fn)
      return () => void listeners.delete(fn)
    },
    close: () => calls.call('close log'),
  }
}
