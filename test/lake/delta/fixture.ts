import type { Change, Snapshot, Table, TableSchema } from '../../../lake/delta/port.ts'
import { openTable } from '../../../lake/delta/table.ts'
import { MemoryStore } from '../../../lake/store/memory.ts'
import { SimClock } from '../../sim/clock.ts'
import { simRandom } from '../../sim/random.ts'

export const START_MS = Date.UTC(2026, 10, 22, 10)
export const HOUR_MS = 3_600_000

export const schema: TableSchema = {
  fields: [
    { name: 'service', type: 'string', nullable: false },
    { name: 'n', type: 'long', nullable: true },
    { name: 'date', type: 'date', nullable: false },
  ],
  partitionBy: ['date'],
}

/** A table in memory, and what a test needs to go on with it. */
export async function world() {
  const clock = new SimClock(START_MS)
  const store = new MemoryStore(clock)
  let seed = 1
  /** One more writer or reader of the table: another process. */
  const open = () => openTable('t', { store, clock, random: simRandom(seed++) })
  const table = open()
  const base = await table.create(schema, { color: 'blue' })
  return { clock, store, open, table, base }
}

/** Stores a file of one row and commits it. */
export async function append(table: Table, change: Partial<Change> = {}, base?: Snapshot): Promise<Snapshot> {
  const file = await table.writeFile(new TextEncoder().encode('not looked into'), {
    partition: { date: '2026-11-22' },
    rows: 1,
    min: { n: 1 },
    max: { n: 1 },
    nulls: { n: 0 },
    tags: { hours: '10' },
  })
  const on = base ?? (await table.snapshot())!
  return table.commit(on, { add: [file], dataChange: true, operation: 'TEST', ...change })
}

export const txn = (version: number, lastUpdatedMs: number | null = null) => ({ version, lastUpdatedMs })

/** What a reader can tell of a version. */
export function seen(snapshot: Snapshot | null) {
  if (snapshot === null) return null
  const { version, timeMs, configuration, files, txns } = snapshot
  const byName = <T>(map: ReadonlyMap<string, T>) => [...map].sort(([a], [b]) => (a < b ? -1 : 1))
  return { version, timeMs, schema: snapshot.schema, configuration, files: byName(files), txns: byName(txns) }
}

export const commitKey = (version: number) => `t/_delta_log/${String(version).padStart(20, '0')}.json`
export const checkpointKey = (version: number) => commitKey(version).replace('.json', '.checkpoint.parquet')
