import { type Calls, Transferred } from '../../schemas/calls.ts'
import { type Cells, memoryOf } from '../../schemas/cells.ts'
import type { Pause } from '../../schemas/ports/clock.ts'
import { serialQueue } from '../../schemas/serial-queue.ts'
import { type IndexLoader, loadHere, type OpenDecoder } from './loader.ts'

/** What a loader in another thread is asked by name, its values as a list. */
export const LOADER_CALLS = [
  'open',
  'filled',
  'fill',
  'kept',
  'dropOthers',
  'dropViews',
  'decode',
  'beginParquet',
  'addParquet',
  'endParquet',
  'dropParquet',
  'close',
] as const satisfies readonly (keyof IndexLoader)[]
export type LoaderCall = (typeof LOADER_CALLS)[number]

/** Somebody waits for these, and they do not touch the index: they wait for nothing that fills it. */
const AT_ONCE: ReadonlySet<LoaderCall> = new Set([
  'decode',
  'beginParquet',
  'addParquet',
  'endParquet',
  'dropParquet',
])

/** The body of a thread that fills the index; in the turns between it looks after what else is asked. */
export function serveLoader(calls: Calls, openDecoder: OpenDecoder, turn: Pause): void {
  const loader = loadHere(openDecoder, turn)
  const inTurn = serialQueue()
  for (const name of LOADER_CALLS)
    calls.on(name, (values: readonly unknown[]) => {
      const work = async () => {
        const value = await (loader[name] as (...of: readonly unknown[]) => Promise<unknown>)(...values)
        // A connection stays where it was opened.
        if (name === 'open') return null
        return name === 'decode' ? new Transferred(value, memoryOf(value as Cells)) : value
      }
      return AT_ONCE.has(name) ? work() : inTurn(work)
    })
}
