import type Database from 'better-sqlite3'
import { decodeCells } from '../../lake/parquet/cells.ts'
import type { Cells } from '../../schemas/cells.ts'
import type { View } from '../../schemas/view.ts'
import { Filling, type Kept } from './filling.ts'

/** A data file to fill the index with. */
export interface FillJob {
  readonly view: View
  readonly path: string
  readonly date: string
  readonly minutes: boolean
  /** The file, a Parquet file of cells; it is used up. */
  readonly bytes: Uint8Array
}

/**
 * What fills the index and decodes files: in a thread of its own, so that answers never wait for it, or in line. Calls are
 * done one after the other.
 */
export interface IndexLoader {
  /** Opens the index. Where it can only be read through the connection that writes, that; else null. */
  open(path: string): Promise<Database.Database | null>
  /** The paths of a view's files that are filled, and whether with minutes. */
  filled(view: string): Promise<ReadonlyMap<string, boolean>>
  fill(job: FillJob): Promise<void>
  keep(view: string, paths: readonly string[], loaded: string): Promise<Kept>
  dropOthers(view: string, paths: readonly string[]): Promise<void>
  dropViews(views: readonly string[]): Promise<void>
  decode(view: View, bytes: Uint8Array): Promise<Cells>
  close(): Promise<void>
}

/** A loader in the thread that asks. */
export function loadHere(): IndexLoader {
  let filling: Filling | null = null
  return {
    async open(path) {
      filling?.close()
      filling = new Filling(path)
      return path === ':memory:' ? filling.db : null
    },
    async filled(view) {
      return new Map(Array.from(filling!.files(view), ([path, { minutes }]) => [path, minutes]))
    },
    async fill({ view, bytes, ...file }) {
      filling!.fill(file, await decodeCells(view, bytes))
    },
    keep: async (view, paths, loaded) => filling!.keep(view, paths, loaded),
    dropOthers: async (view, paths) => filling!.dropOthers(view, paths),
    dropViews: async (views) => filling!.dropViews(views),
    decode: decodeCells,
    async close() {
      filling?.close()
      filling = null
    },
  }
}
