import { type CellValue, columnOf, type NumberColumn, type TextColumn } from '../../schemas/cell-column.ts'
import { type Cells, pickRows, timesOf } from '../../schemas/cells.ts'
import { isError } from '../../schemas/errors.ts'
import type { Clock } from '../../schemas/ports/clock.ts'
import { DAY_MS } from '../../schemas/time.ts'
import type { View } from '../../schemas/view.ts'
import { layoutOf } from '../../schemas/view-columns.ts'
import type { DataFile, Snapshot, Table } from '../delta/port.ts'
import { removeUnfinished } from '../expire/unfinished.ts'
import { decodeCells, describeCells, encodeCells } from '../parquet/cells.ts'
import type { DatasetTables, ViewTables } from '../tables/deployment.ts'
import { type FrozenFile, frozenFiles } from '../tables/frozen.ts'
import type { ErasedMessages } from './condition.ts'

/**
 * Frozen cells, whose messages are expired, as far as an erasure can reach them:
 *
 *     a cell that the condition names whole (all its columns are of the key)     goes
 *     a cell that other messages may be in too                                   stays; where a maximum names the source that is
 *                                                                                erased, `ERASED_SOURCE` stands instead
 *
 * So no name is left. What such a message gave to a total, a count or an extreme cannot be taken out: nobody knows it any more.
 */
export const ERASED_SOURCE = '(erased)'

/** What became of frozen cells. */
export interface FrozenErased {
  readonly removed: number
  /** Cells that named what was erased, and no longer do. */
  readonly unnamed: number
}

export interface FrozenDeps {
  readonly clock: Clock
  /** Aborts when it is to stop; its reason is thrown. */
  readonly signal: AbortSignal
}

/** Cells that an erasure has removed or changed so far, as txns: each commit counts once, and it can be begun again. */
const removedApp = (id: string) => `erase/${id}`
const unnamedApp = (id: string) => `erase/${id}/unnamed`

/** Erases what of the frozen cells of a dataset `what` names. Throws `E_FILE_DAMAGED`: what such a file holds is not known. */
export async function eraseFrozen(
  id: string,
  what: ErasedMessages,
  tables: DatasetTables,
  deps: FrozenDeps,
): Promise<FrozenErased> {
  await removeUnfinished(tables, deps.clock, 0)
  const all = { removed: 0, unnamed: 0 }
  for (const view of tables.views) {
    const { removed, unnamed } = await eraseView(id, what, tables.messages, view, deps)
    all.removed += removed
    all.unnamed += unnamed
  }
  return all
}

async function eraseView(
  id: string,
  what: ErasedMessages,
  messages: Table,
  { frozen }: ViewTables,
  { clock, signal }: FrozenDeps,
): Promise<FrozenErased> {
  const clean = new Set<string>()
  for (;;) {
    signal.throwIfAborted()
    const next = await nextFile(what, messages, frozen, clean)
    if (next === null) return erasedSoFar(await frozen.snapshot(), id)
    const { base, one } = next
    const { left, removed, unnamed } = without(await readCells(frozen, one), what)
    clean.add(one.file.path)
    if (removed + unnamed === 0) continue
    const add = left.length === 0 ? [] : [await writeCells(frozen, one, left)]
    const before = erasedSoFar(base, id)
    const txn = (version: number) => ({ version, lastUpdatedMs: clock.nowMs() })
    try {
      await frozen.commit(base, {
        operation: 'ERASE',
        add,
        remove: [one.file.path],
        dataChange: true,
        txns: {
          [removedApp(id)]: txn(before.removed + removed),
          [unnamedApp(id)]: txn(before.unnamed + unnamed),
        },
        info: { erasure: id, removed, unnamed },
      })
      for (const { path } of add) clean.add(path)
    } catch (error) {
      if (!isError(error, 'E_CONFLICT')) throw error
      clean.delete(one.file.path)
    }
  }
}

/** Number of frozen cells that would be affected. */
export async function countFrozen(
  what: ErasedMessages,
  { messages, views }: DatasetTables,
  signal: AbortSignal,
): Promise<FrozenErased> {
  const found = { removed: 0, unnamed: 0 }
  for (const { frozen } of views) {
    for (const one of (await frozenOf(messages, frozen)).files.filter((file) => mayBeOf(file, what))) {
      signal.throwIfAborted()
      const { removed, unnamed } = without(await readCells(frozen, one), what)
      found.removed += removed
      found.unnamed += unnamed
    }
  }
  return found
}

/** The dates, ascending, of which frozen cells hold sums that what is erased may be part of. */
export async function datesStillCounted(
  what: ErasedMessages,
  { messages, views }: DatasetTables,
): Promise<string[]> {
  const dates = new Set<string>()
  for (const { frozen } of views)
    for (const one of (await frozenOf(messages, frozen)).files)
      if (mayBeOf(one, what) && !isOfKey(one.view, what)) dates.add(one.file.partition.date!)
  return [...dates].sort()
}

async function nextFile(
  what: ErasedMessages,
  messages: Table,
  frozen: Table,
  clean: ReadonlySet<string>,
): Promise<{ base: Snapshot; one: FrozenFile } | null> {
  const { base, files } = await frozenOf(messages, frozen)
  const one = files.find((file) => mayBeOf(file, what) && !clean.has(file.file.path))
  return base === null || one === undefined ? null : { base, one }
}

async function frozenOf(
  messages: Table,
  frozen: Table,
): Promise<{ base: Snapshot | null; files: FrozenFile[] }> {
  const rows = await messages.snapshot()
  const base = await frozen.snapshot()
  return { base, files: rows === null ? [] : [...frozenFiles(base, rows).values()].flat() }
}

function mayBeOf({ file }: FrozenFile, { fromMs, toMs }: ErasedMessages): boolean {
  const dateMs = Date.parse(file.partition.date!)
  return (fromMs === null || dateMs + DAY_MS > fromMs) && (toMs === null || dateMs < toMs)
}

const readCells = async (frozen: Table, { view, file }: FrozenFile) =>
  decodeCells(view, await frozen.readFile(file))

function writeCells(frozen: Table, { file }: FrozenFile, cells: Cells): Promise<DataFile> {
  const { date } = file.partition
  const about = { ...describeCells(cells, { date: date! }), tags: { frozen: file.tags.frozen! } }
  return frozen.writeFile(encodeCells(cells), about)
}

/** Whether the key tells of each cell alone whether its messages are meant. */
const isOfKey = ({ key }: View, { where }: ErasedMessages) =>
  Object.keys(where).every((column) => key.includes(column))

/** Cells without what is erased. A cell whose bucket lies only partly in the times is one of them: nobody can divide it. */
function without(cells: Cells, what: ErasedMessages): FrozenErased & { left: Cells } {
  const { view, columns } = cells
  const { where, fromMs, toMs } = what
  const times = timesOf(cells)
  const named = Object.entries(where).flatMap(([column, value]) => {
    const at = view.key.indexOf(column)
    return at < 0 ? [] : [{ texts: (columns[at] as TextColumn).values, value }]
  })
  const isMeant = (i: number) =>
    (fromMs === null || times[i]! + view.bucketMs > fromMs) &&
    (toMs === null || times[i]! < toMs) &&
    named.every(({ texts, value }) => texts.dictionary[texts.places[i]!] === value)
  if (!isOfKey(view, what)) return withoutSource(cells, what, isMeant)
  const rows = Uint32Array.from(times.keys()).filter((i) => !isMeant(i))
  return { left: pickRows(cells, rows), removed: cells.length - rows.length, unnamed: 0 }
}

function withoutSource(
  cells: Cells,
  { where, fromMs, toMs }: ErasedMessages,
  isMeant: (i: number) => boolean,
): FrozenErased & { left: Cells } {
  const { view, length } = cells
  const name = view.source === null ? undefined : where[view.source]
  if (name === undefined) return { left: cells, removed: 0, unnamed: 0 }
  const columns = [...cells.columns]
  const changed = new Set<number>()
  for (const { measure, places } of layoutOf(view).gauges.flat()) {
    if (measure.name !== 'maximum') continue
    const times = (columns[places[0]!] as NumberColumn).values
    const { dictionary, places: at } = (columns[places[2]!] as TextColumn).values
    const values: CellValue[] = []
    for (let i = 0; i < length; i++) {
      const source = dictionary[at[i]!] ?? null
      const isIn = (fromMs === null || times[i]! >= fromMs) && (toMs === null || times[i]! < toMs)
      const isGone = source === name && isIn && isMeant(i)
      if (isGone) changed.add(i)
      values.push(isGone ? ERASED_SOURCE : source)
    }
    columns[places[2]!] = columnOf('string', values)
  }
  return { left: { ...cells, columns }, removed: 0, unnamed: changed.size }
}

function erasedSoFar(frozen: Snapshot | null, id: string): FrozenErased {
  const of = (app: string) => frozen?.txns.get(app)?.version ?? 0
  return { removed: of(removedApp(id)), unnamed: of(unnamedApp(id)) }
}
