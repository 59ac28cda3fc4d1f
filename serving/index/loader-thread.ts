import type { Calls } from '../../schemas/calls.ts'
import { series } from '../../schemas/series.ts'
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

/** The body of a thread that fills the index: does what it is asked one after the other. */
export function serveLoader(calls: Calls, openDecoder: OpenDecoder): void {
  const loader = loadHere(openDecoder)
  const inSeries = series()
  for (const name of LOADER_CALLS)
    calls.on(name, (values: readonly unknown[]) =>
      inSeries(async () => {
        const value = await (loader[name] as (...of: readonly unknown[]) => Promise<unknown>)(...values)
        // A connection stays where it was opened.
        return name === 'open' ? null : value
      }),
    )
}
