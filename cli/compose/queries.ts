import { type FileHandle, open, rm, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import type { Table } from '../../lake/delta/port.ts'
import { queryTables } from '../../lake/query/catalog.ts'
import { LakeQueries } from '../../lake/query/queries.ts'
import type { QueryDeps, QueryLimits } from '../../lake/query/query-types.ts'
import { fileError } from '../../lake/query/said.ts'
import { allViews, type LakeTables } from '../../lake/tables/deployment.ts'
import { TidemarkError } from '../../schemas/errors.ts'
import type { Content, ServedQueries } from '../../serving/http/app.ts'
import { diskError } from '../host/disk-error.ts'
import { queryProcesses } from '../host/query-process.ts'
import type { Settings } from '../settings/settings.ts'
import type { Closing } from './closing.ts'
import type { Host } from './host.ts'

type QueryHost = Pick<Host, 'disk' | 'clock' | 'random'>

/** A larger answer that is known only when it is whole goes by way of a file. */
const HELD_BYTES_MAX = 1 << 20

/** SQL over the tables of a lake. What does not fit into memory goes to folders in `scratchDir`, which belongs to it alone. */
export function lakeQueries(
  settings: Settings,
  tables: LakeTables,
  { disk, clock, random }: QueryHost,
  {
    fileBytesMax,
    ...deps
  }: Pick<QueryDeps, 'scratchDir' | 'reads' | 'beginProcess'> & Pick<QueryLimits, 'fileBytesMax'>,
): LakeQueries {
  const limits = {
    timeMs: settings.durationMs('query.time_max'),
    memoryBytes: settings.bytes('query.memory_max'),
    rowsMax: settings.integer('query.rows_max'),
    fileBytesMax,
  }
  const removeTree = (dir: string) => rm(dir, { recursive: true, force: true })
  return new LakeQueries(queryTables(tables), limits, { clock, random, disk, removeTree, ...deps })
}

/** The same, for questions over HTTP. What a killed process left in the scratch folder is removed. */
export async function servedQueries(
  settings: Settings,
  tables: LakeTables,
  reads: QueryDeps['reads'],
  host: QueryHost,
  closing: Closing,
): Promise<ServedQueries> {
  const { disk, random } = host
  const dir = join(settings.dataDir(), 'scratch', 'queries')
  await rm(dir, { recursive: true, force: true })
  const fileBytesMax = settings.bytes('query.answer_max')
  const processes = queryProcesses({ keepsSpare: true })
  closing.add('queries', () => processes.close())
  return {
    queries: lakeQueries(settings, tables, host, {
      scratchDir: dir,
      reads,
      beginProcess: processes.begin,
      fileBytesMax,
    }),
    published: (view) => publishedTable(tables, view),
    async withFile(write) {
      await disk.makeDir(dir)
      const path = join(dir, `${random.hex(8)}.parquet`)
      const about = await write(path)
      const file = await open(path).catch((error) => {
        throw diskError(path, error)
      })
      // It is there as long as it is read.
      await disk.remove(path)
      return { content: await contentOf(file), about }
    },
    async whole(text) {
      await disk.makeDir(dir)
      return wholeText(text, join(dir, `${random.hex(8)}.csv`), fileBytesMax)
    },
  }
}

/** What is in a file that has no name any more. */
async function contentOf(file: FileHandle): Promise<Content> {
  const { size: bytes } = await file.stat()
  if (bytes > HELD_BYTES_MAX) return { bytes, body: file.createReadStream({ start: 0 }) }
  const held = Buffer.alloc(bytes)
  await file.read(held, 0, bytes, 0)
  await file.close()
  return held
}

/** All of a text; by way of a file at `path`, which has its name for a moment, where it is long. */
async function wholeText(text: AsyncIterable<string>, path: string, bytesMax: number): Promise<Content> {
  let held = ''
  let bytes = 0
  let file: FileHandle | null = null
  try {
    for await (const some of text) {
      bytes += Buffer.byteLength(some)
      if (bytes > bytesMax) throw fileError(bytesMax)
      held += some
      if (held.length < HELD_BYTES_MAX) continue
      if (file === null) {
        file = await open(path, 'wx+')
        await unlink(path)
      }
      await file.writeFile(held)
      held = ''
    }
    if (file === null) return Buffer.from(held)
    await file.writeFile(held)
    return await contentOf(file)
  } catch (error) {
    await file?.close()
    throw error instanceof TidemarkError ? error : diskError(path, error)
  }
}

/** The table of a view, of the first one where it is null; null where there is none of that name. */
export function publishedTable(tables: LakeTables, view: string | null): Table | null {
  const views = allViews(tables)
  return (view === null ? views[0] : views.find((one) => one.view.name === view))?.published ?? null
}
