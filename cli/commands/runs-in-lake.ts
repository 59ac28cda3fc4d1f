import { readRuns } from '../../batch/records.ts'
import { openTable } from '../../lake/delta/table.ts'
import { RUNS } from '../../lake/tables/runs.ts'
import type { Disk } from '../../schemas/ports/disk.ts'
import type { RunRecord } from '../../schemas/ports/layers.ts'
import { lakeStore } from '../compose/lake-store.ts'
import { nodeClock } from '../host/clock.ts'
import { nodeRandom } from '../host/random.ts'
import type { Settings } from '../settings/settings.ts'

/** The records of a lake that no `up` holds, newest first; none where there is no lake. */
export async function runsInLake(settings: Settings, disk: Disk): Promise<RunRecord[]> {
  const host = { disk, clock: nodeClock(), random: nodeRandom() }
  return readRuns(openTable(RUNS, { store: lakeStore(settings, host).store, ...host }))
}
