import type { DataFile, FileAbout, Table } from '../../lake/delta/port.ts'
import type { Dataset } from '../../schemas/dataset.ts'
import type { Position } from '../../schemas/position.ts'
import type { View } from '../../schemas/view.ts'
import type { DatePlan } from '../plan.ts'

/** A data file of a view's table, not yet stored. */
export interface ViewFile {
  readonly bytes: Uint8Array
  readonly about: FileAbout
}

/**
 * What executes the plan of a date: map tasks, each giving partial cells of its files, and one reduce that adds them up and
 * writes the date's file. A run opens an engine and gives it one date after the other, or a few at a time.
 */
export interface Engine {
  /** Number of dates that the engine computes at a time with profit. */
  readonly dates: number
  /** Whether it checks the files of messages itself, and throws `E_FILE_DAMAGED` where one is not what its checksum says. */
  readonly verifies?: boolean
  /**
   * The date's cells as a file sorted by key, then time: of the rows at or below `upTo` in the hours of the plan, and those
   * of the base file outside of them. Null when there are none. Ends early, and throws anything, once `signal` is aborted.
   * Throws `E_ENGINE`; `E_FILE_DAMAGED` when the base file cannot be read.
   */
  compute(date: DatePlan, upTo: Position, signal: AbortSignal): Promise<ViewFile | null>
  /** After every `compute` has ended. */
  close(): Promise<void>
}

export interface EngineTables {
  readonly dataset: Dataset
  readonly view: View
  readonly messages: Table
  readonly viewTable: Table
}

export type OpenEngine = (tables: EngineTables) => Promise<Engine>

/** A date's plan covers hours; of a view whose cells are longer than an hour it covers the whole date. */
export function coversDate({ hours }: DatePlan): boolean {
  return hours.length === 24
}

/** The form that a file of messages was written with, as its tag says; null for files of before there were tags. */
export function formTag(file: DataFile): string | null {
  return file.tags.form ?? null
}
