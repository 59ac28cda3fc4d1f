import { openTable } from '../../lake/delta/table.ts'
import type { ObjectStore } from '../../lake/store/port.ts'
import { type LakeTables, lakeTables } from '../../lake/tables/deployment.ts'
import type { Definitions } from '../../schemas/definitions.ts'
import type { Settings } from '../settings/settings.ts'
import type { Host } from './host.ts'
import { lakeStore } from './lake-store.ts'

/** The tables of a lake that another process owns: to be read, and to be added to by commits of one's own. */
export function openLake(
  settings: Settings,
  definitions: Definitions,
  host: Pick<Host, 'disk' | 'clock' | 'random'>,
): LakeTables {
  return tablesIn(lakeStore(settings, host).store, definitions, host)
}

/** The tables of a deployment in `store`; none needs to exist. */
export function tablesIn(
  store: ObjectStore,
  definitions: Definitions,
  { clock, random, logLine }: Pick<Host, 'clock' | 'random'> & Partial<Pick<Host, 'logLine'>>,
): LakeTables {
  return lakeTables(definitions, (name) =>
    openTable(name, { store, clock, random, ...(logLine && { logLine }) }),
  )
}
