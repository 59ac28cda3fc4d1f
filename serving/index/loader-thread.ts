import type { MessagePort } from 'node:worker_threads'
import { series } from '../../schemas/series.ts'
import { type IndexLoader, loadHere } from './loader.ts'

/** A call of the loader, by number. */
export interface LoaderCall {
  readonly id: number
  readonly name: keyof IndexLoader
  readonly values: readonly unknown[]
}

export type LoaderReply =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly error: { readonly message: string; readonly code: string | null } }

/** The body of a thread that fills the index: does the calls that come over `port` one after the other. */
export function serveLoader(port: MessagePort): void {
  const loader = loadHere()
  const inSeries = series()
  port.on('message', ({ id, name, values }: LoaderCall) => {
    void inSeries(async () => {
      try {
        const value = await (loader[name] as (...of: readonly unknown[]) => Promise<unknown>)(...values)
        // A connection stays where it was opened.
        const told = name === 'open' ? null : value
        port.postMessage({ id, value: told } satisfies LoaderReply)
      } catch (error) {
        const { message, code = null } = error as { message: string; code?: string }
        port.postMessage({ id, error: { message, code } } satisfies LoaderReply)
      }
    })
  })
}
