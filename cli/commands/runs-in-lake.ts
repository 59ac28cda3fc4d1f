import { readRuns } from '../../batch/records.ts'
import { openTable } from '../../lake/delta/table.ts'
import { openStore } from '../../lake/store/open.ts'
import { RUNS } from '../../lake/tables/runs.ts'
import type { Disk } from '../../schemas/ports/disk.ts'
import type { RunRecord } from '../../schemas/ports/layers.ts'
import { nodeClock } from '../host/clock.ts'
import { nodeRandom } from '../host/random.ts'

/** The records of a lake that no `up` holds, newest first. */
export async function runsInLake(disk: Disk, dir: string): Promise<RunRecord[]> {
  const random = nodeRandom()
  const { store } = openStore(dir, { disk, random })
  return readRuns(openTable(RUNS, { store, clock: nodeClock(), random }))
}
