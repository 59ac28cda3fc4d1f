import { decodeMessages } from '../../lake/parquet/messages.ts'
import { hourName } from '../../lake/tables.ts'
import { CellMap } from '../../schemas/cell.ts'
import { offsetIn } from '../../schemas/position.ts'
import type { OpenEngine } from './engine.ts'

/** The plan as a plain map and reduce in TypeScript: the oracle for the other engines, and slow. */
export const openReference: OpenEngine = async (view, messages) => {
  const partials = new Map<number, CellMap>()
  let made = 0
  return {
    async map(files, hours, upTo) {
      const wanted = new Set(hours)
      const cells = new CellMap(view)
      for (const file of files) {
        const { columns, partition, offset } = await decodeMessages(await messages.readFile(file))
        cells.addAll(columns, (i) => {
          const below = partition[i]! < 0 || offset[i]! <= offsetIn(upTo, partition[i]!)
          return below && wanted.has(hourName(columns.timeMs[i]!))
        })
      }
      partials.set(made, cells)
      return { engine: 'reference', name: made++ }
    },
    async reduce(parts) {
      const cells = new CellMap(view)
      for (const { name } of parts) {
        cells.merge(partials.get(name)!.rows())
        partials.delete(name)
      }
      return cells.rows()
    },
    async close() {
      partials.clear()
    },
  }
}
