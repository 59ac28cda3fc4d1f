import type { DataFile, Table } from '../../lake/delta/port.ts'
import type { CellRow } from '../../schemas/cell.ts'
import type { Position } from '../../schemas/position.ts'
import type { View } from '../../schemas/view.ts'

/**
 * What executes the tasks of a plan. A run opens an engine, gives it the map tasks of one date after the other and takes
 * each date's cells, so that no more than a date is in memory.
 */
export interface Engine {
  /** Partial cells of the rows of `files` that lie in `hours` and at or below `upTo`. Throws `E_ENGINE`. */
  map(files: readonly DataFile[], hours: readonly string[], upTo: Position): Promise<Partial>
  /** The cells that `partials` add up to, by key as UTF-8 bytes, then minute. Uses the partials up. */
  reduce(partials: readonly Partial[]): Promise<CellRow[]>
  close(): Promise<void>
}

/** What a map task left with its engine. */
export type Partial = { readonly engine: string; readonly name: number }

export type OpenEngine = (view: View, messages: Table) => Promise<Engine>
