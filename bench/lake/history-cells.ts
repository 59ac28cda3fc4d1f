import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { DuckDBConnection } from '@duckdb/node-api'
import { DAY_MS, MINUTE_MS } from '../../schemas/time.ts'
import { bucketOf, FLOOR_VIEWS, type FloorView } from '../recompute/floor-sql.ts'
import { commitFiles, type NewFile, readTable } from './delta.ts'
import { type History, sampleSql } from './history.ts'

const MINUTES = DAY_MS / MINUTE_MS
const GAUGES = ['cpu', 'ram', 'disk']

/** The columns of a cell of one message, by name, besides its keys and its minute. */
const OF_ONE_MESSAGE: ReadonlyMap<string, string> = new Map([
  ['msg_num', '1::BIGINT'],
  ...GAUGES.flatMap((gauge): [string, string][] => [
    [gauge, gauge],
    [`max_${gauge}_time`, 'time_stamp'],
    [`max_${gauge}`, gauge],
    [`max_${gauge}_host`, 'host'],
    [`min_${gauge}`, gauge],
    [`${gauge}_sketch`, `[struct_pack("bucket" := ${bucketOf(gauge)}, "count" := 1::BIGINT)]`],
  ]),
])

/**
 * Publishes the cells of a history of one message a cell without its messages, a file a date and view, as a run would: to have them
 * computed takes minutes where they are tens of millions. The views must have been published before, with other dates. Throws for a
 * history or a column that is not known here.
 */
export async function writeHistoryCells(db: DuckDBConnection, lake: string, history: History): Promise<void> {
  if (history.messagesADay !== history.services * MINUTES || history.hosts !== history.services)
    throw new Error(
      'a history whose cells are written must have one host a service and one message a minute of it',
    )
  for (const view of FLOOR_VIEWS) {
    const table = join(lake, view.name)
    const published = await readTable(table)
    if (published === null) throw new Error(`${view.name} is not published in ${lake}`)
    const columns = published.columns.filter((name) => name !== 'date')
    const files: NewFile[] = []
    for (let day = 0; day < history.days; day++)
      files.push(await writeDay(db, table, { view, columns, history, day }))
    await commitFiles(table, files, {})
  }
}

interface Day {
  readonly view: FloorView
  readonly columns: readonly string[]
  readonly history: History
  readonly day: number
}

async function writeDay(
  db: DuckDBConnection,
  table: string,
  { view, columns, history, day }: Day,
): Promise<NewFile> {
  const fromMs = history.startMs + day * DAY_MS
  const date = new Date(fromMs).toISOString().slice(0, 10)
  const path = `date=${date}/history.parquet`
  await mkdir(join(table, `date=${date}`), { recursive: true })
  const cells = columns.map((name) => {
    if (view.keys.includes(name)) return name
    if (name === 'time_stamp') return `time_bucket(INTERVAL 1 MINUTE, time_stamp) AS time_stamp`
    const sql = OF_ONE_MESSAGE.get(name)
    if (sql === undefined) throw new Error(`column ${name} of ${view.name} is not known here`)
    return `${sql} AS ${name}`
  })
  // By key and time, as the rows of a published file lie.
  const inOrder = `SELECT n % ${MINUTES} * ${history.services} + n // ${MINUTES} AS i FROM range(${history.messagesADay}) of(n) ORDER BY n`
  const written = await db.run(`COPY (
    SELECT ${cells.join(', ')} FROM (SELECT ${sampleSql(history, day)} FROM (${inOrder}))
  ) TO '${join(table, path)}' (FORMAT parquet, COMPRESSION zstd)`)
  return {
    path,
    rows: written.rowsChanged,
    date,
    minTime: new Date(fromMs).toISOString(),
    maxTime: new Date(fromMs + DAY_MS - MINUTE_MS).toISOString(),
    tags: {},
  }
}
