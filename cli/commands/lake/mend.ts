import { hostname } from 'node:os'
import { takeLease } from '../../../lake/lease.ts'
import { setAsideDamaged } from '../../../lake/tables/made-anew.ts'
import { type Args, type Io, logLineTo } from '../../command.ts'
import { tablesIn } from '../../compose/open-lake.ts'
import { builtInDefinitions } from '../../settings/definitions.ts'
import { report } from './report.ts'
import { openTables, recorded } from './upkeep.ts'

/**
 * `tidemark lake mend`: damaged logs of views, ticks and runs are set aside, so that these begin anew, as `up` does at its start.
 * Layers in processes of their own cannot: one that still works by what it read before the damage would write on behind what another
 * has moved away. So a person stops them, and gives this once; the lease of the lake keeps a second one and `up` out. Throws
 * `E_LAKE_OWNED`, and `E_TABLE_DAMAGED` for what nothing can make anew.
 */
export async function lakeMend(args: Args, io: Io): Promise<number> {
  const deps = await openTables(args)
  const { clock, random } = deps
  const logLine = logLineTo(io, () => clock.nowMs())
  const lines = report(args, io, ['table'])
  const holder = `tidemark lake mend, process ${process.pid}`
  const owner = { owner: `mend ${random.hex(8)}`, holder, host: hostname() }
  const lease = await takeLease(owner, { ...deps, logLine, lost: () => {} })
  try {
    const store = lease.guard(deps.store)
    const tables = tablesIn(store, args.settings.definitions(await builtInDefinitions()), deps)
    const damaged = await setAsideDamaged(tables, store, { nowMs: clock.nowMs(), logLine })
    for (const table of damaged) lines.add({ table })
    if (damaged.length > 0)
      await recorded({ ...deps, store }, 'lake mend', async () => 0, { tables: damaged.join(', ') })
    for (const { messages, views } of tables.datasets)
      for (const table of [messages, ...views.map(({ frozen }) => frozen)]) await table.snapshot()
  } finally {
    await lease.close()
  }
  return lines.end('Nothing is damaged that could be made anew.')
}
