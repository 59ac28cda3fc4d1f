import { describeError, isError } from '../../schemas/errors.ts'
import type { Table } from '../delta/port.ts'
import type { ObjectStore } from '../store/port.ts'
import { allViews, type LakeTables } from './deployment.ts'
import { viewState } from './published.ts'
import { ticksOf } from './ticks.ts'

/** Folder of the logs that were set aside; no table has such a name. */
export const SET_ASIDE = '_damaged/'

/**
 * Sets aside the damaged logs of tables that can be made anew, so that they begin again: views and their ticks, which are computed of
 * messages and of the log, and the records of runs, which nothing depends on. Says each in a line, and returns their names. Messages and cells
 * of what is expired are nobody's copies: where those are damaged whoever reads them throws.
 */
export async function setAsideDamaged(
  lake: LakeTables,
  store: ObjectStore,
  { nowMs, logLine }: { readonly nowMs: number; logLine(line: string): void },
): Promise<readonly string[]> {
  const views = allViews(lake)
  const checks: [Table, () => Promise<unknown>][] = [
    ...views.map(({ published }): [Table, () => Promise<unknown>] => [
      published,
      async () => viewState(await published.snapshot()),
    ]),
    ...views.map(({ ticks }): [Table, () => Promise<unknown>] => [
      ticks,
      async () => ticksOf(await ticks.snapshot()),
    ]),
    [lake.runs, () => lake.runs.snapshot()],
  ]
  const damaged: string[] = []
  for (const [{ name }, check] of checks) {
    const reason = await damageOf(check)
    if (reason === null) continue
    const to = `${SET_ASIDE}${name}/${new Date(nowMs).toISOString()}/`
    await moveLog(`${name}/_delta_log/`, to, store)
    logLine(`lake: ${name} begins anew, its log is now in ${to}: ${reason}`)
    damaged.push(name)
  }
  return damaged
}

async function damageOf(check: () => Promise<unknown>): Promise<string | null> {
  try {
    await check()
    return null
  } catch (error) {
    if (!isError(error, 'E_TABLE_DAMAGED')) throw error
    return describeError(error)
  }
}

/**
 * All is copied before anything goes, checkpoints go before commits, and these by version: whenever it ends, what is left is damaged or nothing,
 * never an older version.
 */
async function moveLog(from: string, to: string, store: ObjectStore): Promise<void> {
  const keys = (await store.list(from)).map(({ key }) => key)
  for (const key of keys) {
    const bytes = await store.get(key)
    if (bytes !== null) await store.put(`${to}${key.slice(from.length)}`, bytes)
  }
  const isCommit = (key: string) => key.endsWith('.json')
  for (const key of keys.filter((one) => !isCommit(one))) await store.delete(key)
  for (const key of keys.filter(isCommit)) await store.delete(key)
}
