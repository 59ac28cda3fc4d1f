import { decodeCells, describeCells, encodeCells } from '../../lake/parquet/cells.ts'
import { decodeMessages } from '../../lake/parquet/messages.ts'
import { hourName } from '../../lake/tables/hours.ts'
import { CellFold } from '../../schemas/cell-fold.ts'
import { pickRows, timesOf } from '../../schemas/cells.ts'
import { offsetIn } from '../../schemas/position.ts'
import { coversDate, type OpenEngine } from './engine.ts'

/** The plan as a plain map and reduce in TypeScript: the oracle for the other engines, and slow. */
export const openReference: OpenEngine = async ({ dataset, view, messages, viewTable }) => ({
  dates: 1,
  async compute(date, upTo, signal) {
    const wanted = new Set(date.hours)
    const all = new CellFold(view)
    for (const { files } of date.maps) {
      signal.throwIfAborted()
      const partial = new CellFold(view)
      for (const file of files) {
        const { columns, partition, offset } = await decodeMessages(dataset, await messages.readFile(file))
        partial.addAll(columns, (i) => {
          const below = partition[i]! < 0 || offset[i]! <= offsetIn(upTo, partition[i]!)
          return below && wanted.has(hourName(columns.timeMs[i]!))
        })
      }
      all.merge(partial.cells())
    }
    signal.throwIfAborted()
    if (date.base !== null && !coversDate(date)) {
      const base = await decodeCells(view, await viewTable.readFile(date.base))
      const times = timesOf(base)
      const carried = Uint32Array.from(times.keys()).filter((i) => !wanted.has(hourName(times[i]!)))
      all.merge(pickRows(base, carried))
    }
    const cells = all.cells()
    if (cells.length === 0) return null
    return { bytes: encodeCells(cells), about: describeCells(cells, { date: date.date }) }
  },
  async close() {},
})
