import { openTable } from '../../lake/delta/table.ts'
import { openStore } from '../../lake/store/open.ts'
import { type LakeTables, lakeTables } from '../../lake/tables/deployment.ts'
import type { Definitions } from '../../schemas/definitions.ts'
import type { Host } from './host.ts'

/** The tables of a lake that another process owns: to be read, and to be added to by commits of one's own. */
export function openLake(
  url: string,
  definitions: Definitions,
  { disk, clock, random }: Pick<Host, 'disk' | 'clock' | 'random'>,
): LakeTables {
  const { store } = openStore(url, { disk, random })
  return lakeTables(definitions, (name) => openTable(name, { store, clock, random }))
}
