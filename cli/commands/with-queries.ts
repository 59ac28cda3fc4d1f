import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { LakeQueries } from '../../lake/query/queries.ts'
import type { LakeTables } from '../../lake/tables/deployment.ts'
import type { Io } from '../command.ts'
import { nodeClock } from '../host/clock.ts'
import { nodeDisk } from '../host/disk.ts'
import { queryProcesses } from '../host/query-process.ts'
import { nodeRandom } from '../host/random.ts'
import { builtInDefinitions } from '../settings/definitions.ts'
import type { Settings } from '../settings/settings.ts'

/** Lets a command ask the tables of the lake, whichever process owns it; the signal ends what it asks when the command is stopped. */
export async function withQueries<T>(
  settings: Settings,
  io: Io,
  ask: (queries: LakeQueries, tables: LakeTables, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const processes = queryProcesses({ keepsSpare: false })
  // It gets ready while this one does.
  processes.prepare()
  // Loaded only where it runs.
  const { bucketReads } = await import('../compose/bucket-reads.ts')
  const { lakeStore } = await import('../compose/lake-store.ts')
  const { tablesIn } = await import('../compose/open-lake.ts')
  const { lakeQueries } = await import('../compose/queries.ts')
  const host = { disk: nodeDisk(), clock: nodeClock(), random: nodeRandom() }
  const scratch = await mkdtemp(join(tmpdir(), 'tidemark-query-'))
  const stopping = new AbortController()
  void io.stopped.then(() => stopping.abort())
  try {
    const lake = lakeStore(settings, host)
    const tables = tablesIn(lake.store, settings.definitions(await builtInDefinitions()), host)
    const reads = bucketReads(settings, lake, (line) => io.err(`${line}\n`))
    const queries = lakeQueries(settings, tables, host, {
      scratchDir: scratch,
      reads,
      beginProcess: processes.begin,
      // It goes where whoever gives the command has it go.
      fileBytesMax: Number.POSITIVE_INFINITY,
    })
    return await ask(queries, tables, stopping.signal)
  } finally {
    await processes.close()
    await rm(scratch, { recursive: true, force: true })
  }
}
