import { type Calls, Transferred } from '../../schemas/calls.ts'
import type { Position } from '../../schemas/position.ts'
import { BlockEncoder } from '../block-encoder.ts'
import { memoryOf, packBlocks } from '../packed-blocks.ts'
import type { Log } from '../port.ts'
import type { LogView, ReadCall, SentSlice } from './reader.ts'

/** Answers readers of `log` in another thread (`remoteLog`), and tells them whenever it changed. */
export function serveLog(log: Log, calls: Calls): LogView {
  const encoder = new BlockEncoder()
  const offsets = (of: (partition: number) => number): Position =>
    Object.fromEntries(log.partitions().map((partition) => [partition, of(partition)]))
  const view = (): LogView => ({
    repeats: log.repeats ?? false,
    cuts: log.cut !== undefined,
    partitions: log.partitions(),
    ends: offsets((partition) => log.end(partition)),
    starts: offsets((partition) => log.start(partition)),
    state: log.state(),
  })
  calls.on('read log', async ({ partition, after, blocksMax }: ReadCall) => {
    const { blocks, ...slice } = await log.read(partition, after, blocksMax)
    const packed = packBlocks(blocks, encoder)
    return new Transferred({ ...slice, packed } satisfies SentSlice, memoryOf(packed))
  })
  calls.on('trim log', async (position: Position) => {
    await log.trim(position)
    calls.tell('log changed', view())
  })
  calls.on('cut log', () => log.cut!())
  calls.on('log covered', (position: Position) => log.covered(position))
  calls.on('close log', () => log.close())
  log.onAppend(() => calls.tell('log changed', view()))
  return view()
}
