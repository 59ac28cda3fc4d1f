import type { Position } from '../schemas/position.ts'
import type { Table } from './delta/port.ts'
import { namedPosition } from './tables.ts'

/** The tables whose commits name offsets of the log. */
export interface NamingTables {
  readonly messages: Table
  readonly view: Table
  readonly ticks: Table
}

/** What the lake names of the log, as it was when it was last looked at. */
export interface NamesInLake {
  readonly position: Position
  /**
   * Takes the next version of `messages` and `ticks`, where they exist, with a commit that changes nothing, and looks again. A
   * commit is made by the first who puts a version: what a process that is dead put before, and its store has not yet done,
   * comes too late for good.
   */
  fence(): Promise<Position>
}

export async function namesInLake({ messages, view, ticks }: NamingTables): Promise<NamesInLake> {
  const look = async () =>
    namedPosition(...(await Promise.all([messages, view, ticks].map((table) => table.snapshot()))))
  let position = await look()
  return {
    get position() {
      return position
    },
    async fence() {
      for (const table of [messages, ticks]) {
        const base = await table.snapshot()
        if (base !== null) await table.commit(base, { operation: 'FENCE', dataChange: false })
      }
      position = await look()
      return position
    },
  }
}
