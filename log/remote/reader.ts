import type { Calls } from '../../schemas/calls.ts'
import { offsetIn, type Position } from '../../schemas/position.ts'
import { BlockDecoder } from '../block-decoder.ts'
import { type PackedBlocks, unpackBlocks } from '../packed-blocks.ts'
import type { LogReader, LogSlice, LogState } from '../port.ts'

/** What a reader in another thread knows of the log without asking. */
export interface LogView {
  readonly repeats: boolean
  /** Whether it can be cut. */
  readonly cuts: boolean
  readonly partitions: readonly number[]
  readonly ends: Position
  readonly starts: Position
  readonly state: LogState
}

export interface ReadCall {
  readonly partition: number
  readonly after: number
  readonly blocksMax: number
}

/** A slice of the log on its way between threads. */
export interface SentSlice extends Omit<LogSlice, 'blocks'> {
  readonly packed: PackedBlocks
}

/**
 * A log that lives in another thread, where `serveLog` answers. That it grew is told at once, and before the sender gets its
 * acknowledgement; the blocks are fetched when a reader wants them, so that none pile up here when this thread is busy.
 */
export function remoteLog(first: LogView, calls: Calls): LogReader {
  const decoder = new BlockDecoder()
  let view = first
  const listeners = new Set<() => void>()
  calls.on('log changed', (next: LogView) => {
    view = next
    for (const fn of [...listeners]) fn()
  })
  return {
    repeats: first.repeats,
    partitions: () => view.partitions,
    end: (partition) => offsetIn(view.ends, partition),
    start: (partition) => offsetIn(view.starts, partition),
    state: () => view.state,
    async read(partition, after, blocksMax) {
      const call: ReadCall = { partition, after, blocksMax }
      const { packed, ...slice } = await calls.call<SentSlice>('read log', call)
      return { ...slice, blocks: unpackBlocks(packed, decoder) }
    },
    covered: (position) => calls.tell('log covered', position),
    trim: (position) => calls.call('trim log', position),
    ...(first.cuts && { cut: () => calls.call<Position>('cut log') }),
    onAppend(fn) {
      listeners.add(fn)
      return () => void listeners.delete(fn)
    },
    close: () => calls.call('close log'),
  }
}
