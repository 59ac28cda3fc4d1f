import { memoryOf, packBlocks } from '../packed-blocks.ts'
import type { Log } from '../port.ts'
import { type Calls, Transferred } from './calls.ts'
import type { LogView, SentSlice } from './reader.ts'

/** Answers those who read `log` from another thread (`remoteLog`), and tells them whenever it changed. */
export function serveLog(log: Log, calls: Calls): LogView {
  const view = (): LogView => ({
    partition: log.partition,
    end: log.end(),
    start: log.start(),
    state: log.state(),
  })
  calls.on('read log', async ({ after, blocksMax }: { after: number; blocksMax: number }) => {
    const { blocks, ...slice } = await log.read(after, blocksMax)
    const packed = packBlocks(blocks)
    return new Transferred({ ...slice, packed } satisfies SentSlice, memoryOf(packed))
  })
  calls.on('trim log', async (to: number) => {
    await log.trim(to)
    calls.tell('log changed', view())
  })
  calls.on('log covered', (to: number) => log.covered(to))
  calls.on('close log', () => log.close())
  log.onAppend(() => calls.tell('log changed', view()))
  return view()
}
