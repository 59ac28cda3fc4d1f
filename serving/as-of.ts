import type { Snapshot } from '../lake/delta/port.ts'
import type { ViewTables } from '../lake/tables/deployment.ts'
import { viewState } from '../lake/tables/published.ts'
import { CellFold } from '../schemas/cell-fold.ts'
import { WHOLE } from '../schemas/cell-rows.ts'
import { type Cells, pickKey } from '../schemas/cells.ts'
import { isError, TidemarkError } from '../schemas/errors.ts'
import { utcDate } from '../schemas/time.ts'
import type { View } from '../schemas/view.ts'
import type { AsOf, Range, Stats } from './answers.ts'
import type { IndexLoader } from './index/loader.ts'
import { viewOf } from './index/view-index.ts'
import { rowsWithin, totalsOf } from './merge.ts'

/** Stats from the batch cells of one published version alone, read from the lake by its own definition. */
export async function statsAsOf(
  { view: configured, published }: ViewTables,
  loader: IndexLoader,
  key: string,
  range: Range,
  asOf: AsOf,
): Promise<Stats> {
  const version = 'version' in asOf ? asOf.version : await published.versionAt(asOf.timeMs)
  const snapshot = await published.at(version)
  const state = viewState(snapshot)
  if (state === null) {
    throw new TidemarkError('E_VERSION_GONE', `nothing was published in version ${snapshot.version}`, {
      field: 'as_of',
    })
  }
  const view = viewOf(state, configured)
  const total = new CellFold(view)
  for (const file of filesIn(snapshot, range)) {
    const own = pickKey(await readCells(published, loader, view, snapshot, file), key)
    total.merge(own, { ...rowsWithin(own, range), bucketMs: WHOLE, key })
  }
  const { gaps } = state
  const totals = totalsOf(total, key)
  return {
    view,
    key,
    ...range,
    ...totals,
    answeredBy: { batch: totals.messages, realtime: 0 },
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

function filesIn(snapshot: Snapshot, range: Range) {
  const fromDate = utcDate(range.fromMs)
  const toDate = utcDate(range.toMs)
  return [...snapshot.files.values()].filter(
    ({ partition }) => partition.date! >= fromDate && partition.date! <= toDate,
  )
}

async function readCells(
  table: ViewTables['published'],
  loader: IndexLoader,
  view: View,
  snapshot: Snapshot,
  file: ReturnType<typeof filesIn>[number],
): Promise<Cells> {
  try {
    return await loader.decode(view, await table.readFile(file))
  } catch (error) {
    if (!isError(error, 'E_FILE_DAMAGED')) throw error
    const gone = `a file of version ${snapshot.version} is no longer kept`
    throw new TidemarkError('E_VERSION_GONE', gone, { field: 'as_of', cause: error })
  }
}
