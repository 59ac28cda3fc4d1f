import type { Snapshot, Table } from '../lake/delta/port.ts'
import { decodeCells } from '../lake/parquet/cells.ts'
import { viewState } from '../lake/tables/published.ts'
import { answerOf, emptyCell, mergeInto } from '../schemas/cell.ts'
import { isError, TidemarkError } from '../schemas/errors.ts'
import { utcDate } from '../schemas/time.ts'
import type { View } from '../schemas/view.ts'
import type { Range, Stats } from './answers.ts'

/**
 * Stats from the batch cells of one published version alone, read from the lake. Null when that version knows
 * nothing of `key`'s range and the caller should ask whether the service exists.
 */
export async function statsAsOf(
  table: Table,
  view: View,
  key: string,
  range: Range,
  asOf: { version: number } | { timeMs: number },
): Promise<Stats> {
  const snapshot = await table.at('version' in asOf ? asOf.version : await table.versionAt(asOf.timeMs))
  const state = viewState(snapshot)
  if (state === null) {
    throw new TidemarkError('E_VERSION_GONE', `nothing was published in version ${snapshot.version}`, {
      field: 'as_of',
    })
  }
  const cell = emptyCell(view)
  for (const row of await cellsIn(table, view, snapshot, range)) {
    if (row.key === key && row.minuteMs >= range.fromMs && row.minuteMs < range.toMs)
      mergeInto(cell, row.cell)
  }
  const gaps = state.gaps
  return {
    key,
    ...range,
    messages: cell.messages,
    gauges: view.gauges.map((_, g) => answerOf(cell, g)),
    answeredBy: { batch: cell.messages, realtime: 0 },
    basis: {
      position: state.tidemark,
      tidemark: state.tidemark,
      viewVersion: snapshot.version,
      run: state.run,
      definition: state.hash,
      messagesVersion: state.messagesVersion,
      files: snapshot.files.size,
      ticks: [],
      gaps,
    },
    complete: gaps.length === 0,
    gaps,
  }
}

async function cellsIn(table: Table, view: View, snapshot: Snapshot, range: Range) {
  const fromDate = utcDate(range.fromMs)
  const toDate = utcDate(range.toMs)
  const files = [...snapshot.files.values()].filter(
    ({ partition }) => partition.date! >= fromDate && partition.date! <= toDate,
  )
  try {
    return (
      await Promise.all(files.map(async (file) => decodeCells(view, await table.readFile(file))))
    ).flat()
  } catch (error) {
    if (!isError(error, 'E_FILE_DAMAGED')) throw error
    const gone = `a file of version ${snapshot.version} is no longer kept`
    throw new TidemarkError('E_VERSION_GONE', gone, { field: 'as_of', cause: error })
  }
}
