import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Table } from '../../lake/delta/port.ts'
import { queryTables } from '../../lake/query/catalog.ts'
import { LakeQueries } from '../../lake/query/queries.ts'
import type { QueryDeps } from '../../lake/query/query-types.ts'
import { allViews, type LakeTables } from '../../lake/tables/deployment.ts'
import { TidemarkError } from '../../schemas/errors.ts'
import type { ServedQueries } from '../../serving/http/app.ts'
import type { Settings } from '../settings/settings.ts'
import type { Host } from './host.ts'

type QueryHost = Pick<Host, 'disk' | 'clock' | 'random'>

/** SQL over the tables of a lake. What does not fit into memory goes to folders in `scratchDir`, which belongs to it alone. */
export function lakeQueries(
  settings: Settings,
  tables: LakeTables,
  { disk, clock, random }: QueryHost,
  { scratchDir, reads }: Pick<QueryDeps, 'scratchDir' | 'reads'>,
): LakeQueries {
  const limits = {
    timeMs: settings.durationMs('query.time_max'),
    memoryBytes: settings.bytes('query.memory_max'),
    rowsMax: settings.integer('query.rows_max'),
  }
  const removeTree = (dir: string) => rm(dir, { recursive: true, force: true })
  return new LakeQueries(queryTables(tables), limits, { clock, random, disk, scratchDir, reads, removeTree })
}

/** The same, for questions over HTTP. What a killed process left in the scratch folder is removed. */
export async function servedQueries(
  settings: Settings,
  tables: LakeTables,
  reads: QueryDeps['reads'],
  host: QueryHost,
): Promise<ServedQueries> {
  const { disk, random } = host
  const dir = join(settings.dataDir(), 'scratch', 'queries')
  await rm(dir, { recursive: true, force: true })
  return {
    queries: lakeQueries(settings, tables, host, { scratchDir: dir, reads }),
    published: (view) => publishedTable(tables, view),
    async withFile(write) {
      await disk.makeDir(dir)
      const path = join(dir, `${random.hex(8)}.parquet`)
      try {
        const about = await write(path)
        const bytes = await disk.readFile(path)
        if (bytes === null) throw new TidemarkError('E_DISK', `${path} is gone`)
        return { bytes, about }
      } finally {
        await disk.remove(path)
      }
    },
  }
}

/** The table of a view, of the first one where it is null; null where there is none of that name. */
export function publishedTable(tables: LakeTables, view: string | null): Table | null {
  const views = allViews(tables)
  return (view === null ? views[0] : views.find((one) => one.view.name === view))?.published ?? null
}
