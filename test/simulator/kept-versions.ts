import type { Table } from '../../lake/delta/port.ts'
import { queryTables } from '../../lake/query/catalog.ts'
import { isError } from '../../schemas/errors.ts'
import type { Dice } from './dice.ts'
import type { Simulation } from './simulation.ts'

/** Versions of each table that are looked at. */
const VERSIONS = 4

/** Older versions can be read for as long as the retention says, whatever has been cleaned up. */
export async function checkKeptVersions(sim: Simulation, dice: Dice): Promise<void> {
  if (sim.vacuumed) return
  for (const { table } of queryTables(sim.world.tables.all)) await checkTable(sim, table, dice)
}

async function checkTable(sim: Simulation, table: Table, dice: Dice): Promise<void> {
  const { world } = sim
  const newest = await table.snapshot()
  if (newest === null) return
  const cutoffMs = Math.min(sim.latestMs(), newest.timeMs) - world.config.retentionMs
  const oldest = await versionAt(table, cutoffMs)
  for (let i = 0; i < VERSIONS; i++) {
    const version = i === 0 ? oldest : oldest + dice.below(newest.version - oldest + 1)
    const { files } = await table.at(version)
    const gone = [...files.keys()].find((path) => !world.holds(`${table.name}/${path}`))
    if (gone !== undefined)
      throw new Error(`version ${version} of ${table.name} is within the retention and lacks ${gone}`)
  }
}

/** The version that was the newest then, or the first when there was none. */
async function versionAt(table: Table, timeMs: number): Promise<number> {
  try {
    return await table.versionAt(timeMs)
  } catch (error) {
    if (isError(error, 'E_VERSION_GONE') && (await table.at(0)).timeMs > timeMs) return 0
    throw error
  }
}
