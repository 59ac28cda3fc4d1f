import type { Table } from '../lake/delta/port.ts'
import { decodeCells, describeCells, encodeCells } from '../lake/parquet/cells.ts'
import { fitsView } from '../lake/tables/frozen.ts'
import { hourName } from '../lake/tables/hours.ts'
import { CellFold } from '../schemas/cell-fold.ts'
import { pickRows, timesOf } from '../schemas/cells.ts'
import type { View } from '../schemas/view.ts'
import type { ViewFile } from './engines/engine.ts'
import type { DatePlan } from './plan.ts'

/**
 * The file of a date with its frozen cells added, as far as they are of the hours that were computed: others are carried with theirs.
 * Every engine's file gets them here, so that none need know of them. Throws `E_FILE_DAMAGED`.
 */
export async function withFrozen(
  made: ViewFile | null,
  view: View,
  { date, hours, frozen }: DatePlan,
  table: Table,
): Promise<ViewFile | null> {
  const fitting = frozen.filter((one) => fitsView(one, view))
  if (fitting.length === 0 || hours.length === 0) return made
  const fold = new CellFold(view)
  if (made !== null) fold.merge(await decodeCells(view, made.bytes))
  const wanted = new Set(hours)
  for (const { file } of fitting) {
    const cells = await decodeCells(view, await table.readFile(file))
    const times = timesOf(cells)
    const rows = Uint32Array.from(times.keys()).filter((i) => wanted.has(hourName(times[i]!)))
    fold.merge(pickRows(cells, rows))
  }
  const cells = fold.cells()
  return cells.length === 0 ? null : { bytes: encodeCells(cells), about: describeCells(cells, { date }) }
}
