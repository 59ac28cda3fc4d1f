import { isError } from '../../schemas/errors.ts'
import type { Clock } from '../../schemas/ports/clock.ts'
import { UNCOMMITTED_MS_MAX } from '../delta/cleanup.ts'
import type { DataFile } from '../delta/port.ts'
import type { DatasetTables } from '../tables/deployment.ts'
import { ABANDONED, expireApp, expiryOf } from '../tables/frozen.ts'

/**
 * What an expiry leaves behind that ended between its commits: frozen cells whose rows are still in `messages`.
 *
 *     commit: `messages`, with the txn `expire/<id>` = abandoned ─▶ commit: `<view>_frozen` without its files
 *
 * The first commit fences the expiry, which would set the same txn, should it still go on: one of the two conflicts.
 */

/** An expiry of a date takes seconds; so much later it is over, or is made again. */
const UNFINISHED_MS_MAX = UNCOMMITTED_MS_MAX

/** Frozen cells of an expiry that did not become one. */
export interface Unfinished {
  readonly table: string
  readonly files: readonly DataFile[]
}

/** The frozen cells that count for nothing and were written at least `ageMs` before; by table. */
export async function findUnfinished(
  { messages, views }: DatasetTables,
  clock: Pick<Clock, 'nowMs'>,
  ageMs = UNFINISHED_MS_MAX,
): Promise<Unfinished[]> {
  const found: Unfinished[] = []
  for (const { frozen } of views) {
    const cells = await frozen.snapshot()
    // After the cells: what these were committed for may be done by then.
    const base = await messages.snapshot()
    if (cells === null || base === null) continue
    const ended = (file: DataFile) =>
      (base.txns.get(expireApp(expiryOf(file)))?.version ?? ABANDONED) > ABANDONED
    const timeMs = Math.min(clock.nowMs(), base.timeMs) - ageMs
    const files = [...cells.files.values()].filter((file) => !ended(file) && file.modifiedMs <= timeMs)
    if (files.length > 0) found.push({ table: frozen.name, files })
  }
  return found
}

/** Removes them from their tables; the files themselves go as those of any older version do. Says which. */
export async function removeUnfinished(
  tables: DatasetTables,
  clock: Clock,
  ageMs = UNFINISHED_MS_MAX,
): Promise<Unfinished[]> {
  const removed: Unfinished[] = []
  for (const one of await findUnfinished(tables, clock, ageMs)) {
    try {
      await abandon(tables, one.files, clock)
      const { frozen } = tables.views.find((view) => view.frozen.name === one.table)!
      const remove = one.files.map(({ path }) => path)
      await frozen.commit((await frozen.snapshot())!, {
        operation: 'REMOVE UNFINISHED',
        remove,
        dataChange: true,
      })
      removed.push(one)
    } catch (error) {
      // Another was first, or the expiry is done after all: the next time tells.
      if (!isError(error, 'E_CONFLICT')) throw error
    }
  }
  return removed
}

async function abandon({ messages }: DatasetTables, files: readonly DataFile[], clock: Clock): Promise<void> {
  const base = (await messages.snapshot())!
  const apps = new Set(files.map((file) => expireApp(expiryOf(file))))
  const open = [...apps].filter((app) => !base.txns.has(app))
  if (open.length === 0) return
  const txn = { version: ABANDONED, lastUpdatedMs: clock.nowMs() }
  await messages.commit(base, {
    operation: 'ABANDON EXPIRY',
    dataChange: false,
    txns: Object.fromEntries(open.map((app) => [app, txn])),
  })
}
