import { TidemarkError } from '../../schemas/errors.ts'
import type { Clock } from '../../schemas/ports/clock.ts'
import { offsetIn, type Position } from '../../schemas/position.ts'
import type { Snapshot, Table } from '../delta/port.ts'
import { removeUnfinished } from '../expire/unfinished.ts'
import type { ObjectStore } from '../store/port.ts'
import type { DatasetTables, ViewTables } from '../tables/deployment.ts'
import { SET_ASIDE } from '../tables/made-anew.ts'
import { viewState } from '../tables/published.ts'
import { ticksOf } from '../tables/ticks.ts'

export interface OldVersionsDeps {
  readonly store: ObjectStore
  readonly tables: DatasetTables
  readonly clock: Clock
  readonly nowMs: number
  readonly retentionMs: number
}

/**
 * Removes the ticks, old versions, damaged logs and left-over files of a dataset that may still hold what was erased. Resolves with why some are
 * left, null when none is: a file that no version names may be another writer's, which has not committed it yet, and is removed
 * hours later (`cleanup.ts`). `erasedMs` is when the last version without the rows had been published.
 */
export async function removeOldVersions(
  upTo: Position,
  erasedMs: number,
  deps: OldVersionsDeps,
): Promise<string | null> {
  const { tables, clock } = deps
  for (const view of tables.views) await removeTicks(view, upTo, deps.store)
  // Of an expiry that had begun before, and lost.
  await removeUnfinished(tables, clock, 0)
  const ofViews = tables.views.flatMap(({ published, ticks, frozen }) => [published, ticks, frozen])
  const all = [tables.messages, ...ofViews]
  for (const { name } of ofViews) {
    for (const { key } of await deps.store.list(`${SET_ASIDE}${name}/`)) await deps.store.delete(key)
  }
  let left = 0
  for (const table of all) left += await removeFiles(table, erasedMs, deps)
  return left === 0 ? null : `${left} files of ${tables.messages.name} and its views are left`
}

/** The ticks that hold cells of blocks up to `upTo`. Each view's tidemark is there by now, so that none of them answers. */
async function removeTicks(
  { view, published, ticks }: ViewTables,
  upTo: Position,
  store: ObjectStore,
): Promise<void> {
  const base = await ticks.snapshot()
  if (base === null) return
  const tidemark = viewState(await published.snapshot())?.tidemark ?? {}
  const held = ticksOf(base).filter(({ partition, from }) => from < offsetIn(upTo, partition))
  const current = held.find(({ partition, to }) => to > offsetIn(tidemark, partition))
  if (current !== undefined)
    throw new TidemarkError('E_ERASURE', `a tick of ${view.name} still reaches over what was erased`)
  if (held.length === 0) return
  await ticks.commit(base, {
    operation: 'REMOVE TICKS',
    remove: held.map(({ file }) => file.path),
    dataChange: true,
  })
  // They were passed long ago: no version that may be asked for reads them, so they wait no second time.
  for (const { file } of held) await store.delete(`${ticks.name}/${file.path}`)
}

/** Returns the number of data files from before `erasedMs` that are left and that the newest version does not name. */
async function removeFiles(table: Table, erasedMs: number, deps: OldVersionsDeps): Promise<number> {
  const { store, nowMs, retentionMs } = deps
  const base = await table.snapshot()
  if (base === null) return 0
  // What a version replaced goes once the table went on.
  const { timeMs } = await table.commit(base, { operation: 'VACUUM', dataChange: false })
  await table.tend(Math.max(nowMs, timeMs), retentionMs, { checkpoint: true })
  const { files } = (await table.snapshot()) as Snapshot
  const objects = await store.list(`${table.name}/`)
  const old = objects.filter(({ key, modifiedMs }) => {
    const path = key.slice(table.name.length + 1)
    return path.endsWith('.parquet') && !path.startsWith('_') && !files.has(path) && modifiedMs <= erasedMs
  })
  let left = 0
  // A list may show what is gone.
  for (const { key } of old) if ((await store.get(key)) !== null) left += 1
  return left
}
