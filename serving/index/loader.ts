import type Database from 'better-sqlite3'
import type { BulkCells } from '../../lake/parquet/bulk-cells.ts'
import { decodeCells, type FileColumn } from '../../lake/parquet/cells.ts'
import type { CellColumn } from '../../schemas/cell-column.ts'
import type { Cells } from '../../schemas/cells.ts'
import type { Pause } from '../../schemas/ports/clock.ts'
import { serialQueue } from '../../schemas/serial-queue.ts'
import type { View } from '../../schemas/view.ts'
import { Filling, type Kept } from './filling.ts'
import { ParquetDrafts } from './parquet-drafts.ts'

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
 * What fills the index and decodes files: in a thread of its own, so that answers never wait for it, or in line. What concerns the
 * index is done one after the other; files are decoded and made meanwhile.
 */
export interface IndexLoader {
  /** Opens the index. Where it can only be read through the connection that writes, that; else null. */
  open(path: string): Promise<Database.Database | null>
  /** The paths of a view's files that are filled, and whether with minutes. */
  filled(view: string): Promise<ReadonlyMap<string, boolean>>
  fill(job: FillJob): Promise<void>
  kept(view: string, paths: readonly string[]): Promise<Kept>
  dropOthers(view: string, paths: readonly string[]): Promise<void>
  dropViews(views: readonly string[]): Promise<void>
  decode(view: View, bytes: Uint8Array): Promise<Cells>
  /** Begins a Parquet file; returns its number, by which rows follow and the file is ended or dropped. */
  beginParquet(columns: readonly FileColumn[]): Promise<number>
  addParquet(id: number, values: readonly CellColumn[]): Promise<Uint8Array>
  endParquet(id: number): Promise<Uint8Array>
  dropParquet(id: number): Promise<void>
  close(): Promise<void>
}

/** Decodes files of cells, with room of its own beside the index at `path` where it needs some. */
export type OpenDecoder = (path: string) => Pick<BulkCells, 'decode' | 'close'>

/** Keeps nothing and needs no disk. */
const plainDecoder: OpenDecoder = () => ({ decode: decodeCells, async close() {} })

/** A loader in the thread that asks; with `turn`, others have their turn while it fills. */
export function loadHere(openDecoder = plainDecoder, turn?: Pause): IndexLoader {
  let filling: Filling | null = null
  let decoder: ReturnType<OpenDecoder> | null = null
  const drafts = new ParquetDrafts()
  const decodes = serialQueue()
  const decode = (view: View, bytes: Uint8Array) => decodes(() => decoder!.decode(view, bytes))
  return {
    async open(path) {
      filling?.close()
      filling = new Filling(path)
      decoder ??= openDecoder(path)
      return path === ':memory:' ? filling.db : null
    },
    async filled(view) {
      return new Map(Array.from(filling!.files(view), ([path, { minutes }]) => [path, minutes]))
    },
    async fill({ view, bytes, ...file }) {
      const steps = filling!.fillInSteps(file, await decode(view, bytes))
      for (const _ of steps) if (turn !== undefined) await turn()
    },
    kept: async (view, paths) => filling!.kept(view, paths),
    dropOthers: async (view, paths) => filling!.dropOthers(view, paths),
    dropViews: async (views) => filling!.dropViews(views),
    decode,
    beginParquet: async (columns) => drafts.begin(columns),
    addParquet: async (id, values) => drafts.add(id, values),
    endParquet: async (id) => drafts.end(id),
    dropParquet: async (id) => drafts.drop(id),
    async close() {
      await decodes(async () => decoder?.close())
      decoder = null
      filling?.close()
      filling = null
    },
  }
}
