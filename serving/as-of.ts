import type { Snapshot } from '../lake/delta/port.ts'
import type { ViewTables } from '../lake/tables/deployment.ts'
import { type ViewState, viewState } from '../lake/tables/published.ts'
import { CellFold } from '../schemas/cell-fold.ts'
import { WHOLE } from '../schemas/cell-rows.ts'
import { type Cells, keyAt, messagesIn, pickKey, pickRows, timesOf } from '../schemas/cells.ts'
import { isError, TidemarkError } from '../schemas/errors.ts'
import { answering } from '../schemas/gauge-answer.ts'
import { utcDate } from '../schemas/time.ts'
import type { View } from '../schemas/view.ts'
import type { AsOf, Basis, CellsAnswer, Parts, Range, Stats, StatsAnswer, Whole } from './answers.ts'
import type { IndexLoader } from './index/loader.ts'
import { viewOf } from './index/view-index.ts'
import { rowsWithin, totalsOf } from './merge.ts'
import { sizeOf } from './parts.ts'

/** What is asked of one version: of `key`, or of every key for which `wanted` holds. */
export interface AskedAsOf {
  readonly asOf: AsOf
  readonly range: Range
  readonly key?: string
  readonly wanted?: (key: string) => boolean
}

/** Stats from the batch cells of one published version alone, read from the lake by its own definition. */
export async function statsAsOf(
  tables: ViewTables,
  loader: IndexLoader,
  asked: AskedAsOf & { readonly key: string },
): Promise<Stats> {
  const { fold, ...from } = await foldAsOf(tables, loader, asked, WHOLE)
  return { ...statsFrom(from, asked.range, asked.key, totalsOf(fold, asked.key)), parts: from.parts }
}

/** The same of every key with messages in the range, by key as UTF-8 bytes. */
export async function analyticsAsOf(
  tables: ViewTables,
  loader: IndexLoader,
  asked: AskedAsOf,
): Promise<StatsAnswer> {
  const { fold, ...from } = await foldAsOf(tables, loader, asked, WHOLE)
  const { wanted = () => true } = asked
  const cells = fold.cells()
  const answerOf = answering(cells)
  const stats: Stats[] = []
  for (let i = 0; i < cells.length; i++) {
    const key = keyAt(cells, i)
    if (!wanted(key)) continue
    const { messages } = fold.summary(key)!
    stats.push(statsFrom(from, asked.range, key, { messages, gauges: answerOf(i) }))
  }
  return { stats, ...wholeFrom(from) }
}

/** The cells of a key in one version, in buckets of `stepMs`; absent: in those of its definition. */
export async function cellsAsOf(
  tables: ViewTables,
  loader: IndexLoader,
  asked: AskedAsOf & { readonly key: string },
  stepMs?: number,
): Promise<CellsAnswer> {
  const { fold, ...from } = await foldAsOf(tables, loader, asked, stepMs)
  const { parts } = from
  return { cells: fold.cells(), basis: basisFrom(from), parts, ...wholeFrom(from) }
}

/** A version that is read. */
interface FromVersion {
  readonly view: View
  readonly state: ViewState
  readonly snapshot: Snapshot
}

/** Folds the cells of a version file by file: no more than one is held at once. */
async function foldAsOf(
  { view: configured, published }: ViewTables,
  loader: IndexLoader,
  { asOf, range, key }: AskedAsOf,
  stepMs?: number,
): Promise<FromVersion & { readonly fold: CellFold; readonly parts: Parts }> {
  const version = 'version' in asOf ? asOf.version : await published.versionAt(asOf.timeMs)
  const snapshot = await published.at(version)
  const state = viewState(snapshot)
  if (state === null) {
    const nothing = `nothing was published in version ${snapshot.version} of ${published.name}`
    throw await published.goneOr(new TidemarkError('E_VERSION_GONE', nothing, { field: 'as_of' }), version)
  }
  const view = viewOf(state, configured)
  checkKeys(view, configured, snapshot)
  const fold = new CellFold(view)
  const bucketMs = stepMs ?? view.bucketMs
  const files: Parts['files'][number][] = []
  for (const file of filesIn(snapshot, range)) {
    const cells = await readCells(published, loader, view, snapshot, file)
    if (key === undefined) {
      fold.merge(pickRange(cells, range), { bucketMs })
      continue
    }
    const own = pickKey(cells, key)
    const rows = rowsWithin(own, range)
    fold.merge(own, { ...rows, bucketMs, key })
    const messages = messagesIn(own, rows.from, rows.to)
    if (messages > 0) files.push({ path: file.path, ...sizeOf(file), messages })
  }
  return { view, state, snapshot, fold, parts: { files, ticks: [], open: [] } }
}

/** A key names nothing in a version that was keyed by other columns. */
function checkKeys(view: View, configured: View, { version }: Snapshot): void {
  if (view.key.join() === configured.key.join()) return
  const was = view.key.join(', ')
  throw new TidemarkError(
    'E_PARAMETER',
    `version ${version} of ${view.name} is keyed by ${was}, and not by ${configured.key.join(', ')}: ask for a newer one`,
    { field: 'as_of' },
  )
}

/** The rows of all keys whose bucket starts in the range. */
function pickRange(cells: Cells, { fromMs, toMs }: Range): Cells {
  const rows: number[] = []
  for (const [i, ms] of timesOf(cells).entries()) if (ms >= fromMs && ms < toMs) rows.push(i)
  return rows.length === cells.length ? cells : pickRows(cells, Uint32Array.from(rows))
}

function wholeFrom({ state: { gaps } }: FromVersion): Whole {
  return { complete: gaps.length === 0, gaps }
}

function statsFrom(
  from: FromVersion,
  range: Range,
  key: string,
  totals: Pick<Stats, 'messages' | 'gauges'>,
): Stats {
  return {
    view: from.view,
    key,
    ...range,
    ...totals,
    answeredBy: { batch: totals.messages, realtime: 0 },
    basis: basisFrom(from),
    ...wholeFrom(from),
  }
}

function basisFrom({ state, snapshot }: FromVersion): Basis {
  return {
    position: state.tidemark,
    tidemark: state.tidemark,
    viewVersion: snapshot.version,
    run: state.run,
    definition: state.hash,
    messagesVersion: state.messagesVersion,
    ticks: [],
    open: [],
    gaps: state.gaps,
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
    const unread = `a file of version ${snapshot.version} cannot be read`
    const damaged = new TidemarkError('E_VERSION_GONE', unread, { field: 'as_of', cause: error })
    throw await table.goneOr(damaged, snapshot.version)
  }
}
