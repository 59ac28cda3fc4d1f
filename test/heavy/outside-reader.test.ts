import { execFileSync } from 'node:child_process'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { nodeDisk } from '../../cli/host/disk.ts'
import { nodeRandom } from '../../cli/host/random.ts'
import type { Snapshot, Table } from '../../lake/delta/port.ts'
import { openTable } from '../../lake/delta/table.ts'
import { encodeParquet } from '../../lake/parquet/codec.ts'
import type { ParquetColumn } from '../../lake/parquet/column.ts'
import { decodeMessages, describeMessages, encodeMessages, joinRows } from '../../lake/parquet/messages.ts'
import { type MessageRows, sortRows } from '../../lake/parquet/order.ts'
import { localStore } from '../../lake/store/local.ts'
import { messagesSchema, sealApp } from '../../lake/tables/messages.ts'
import { host } from '../../schemas/datasets/host.ts'
import { messagesTable } from '../../schemas/definitions.ts'
import { messageAt } from '../../schemas/message.ts'
import { SimClock } from '../sim/clock.ts'
import { hostColumns } from '../sim/messages.ts'
import { needs } from './needs.ts'
import { python } from './outside.ts'

const START_MS = Date.UTC(2026, 10, 22, 22)
const MESSAGES = messagesTable(host.name)
const SEALS = 25
const ROWS_PER_SEAL = 40

const hasReader = needs('deltalake', python !== null)
let dir: string
let written: string[]

beforeAll(async () => {
  if (!hasReader) return
  dir = await mkdtemp(join(tmpdir(), 'tidemark-reader-'))
  written = await writeTable(dir)
}, 60_000)
afterAll(async () => {
  if (dir) await rm(dir, { recursive: true })
})

test.skipIf(!hasReader)('delta-rs reads the rows that were written', () => {
  const read = readWithDeltaRs(join(dir, MESSAGES))
  expect(read.rows.length).toBe(SEALS * ROWS_PER_SEAL)
  expect(read.rows).toEqual(written)
  expect(read.version).toBe(SEALS + 1)
})

test.skipIf(!hasReader)('delta-rs reads an older version, from before the compaction', () => {
  const { rows } = readWithDeltaRs(join(dir, MESSAGES), 10)
  expect(rows.length).toBe(10 * ROWS_PER_SEAL)
  expect(written).toEqual(expect.arrayContaining(rows))
})

test.skipIf(!hasReader)('delta-rs reads the same rows from the checkpoint alone', async () => {
  const log = join(dir, MESSAGES, '_delta_log')
  const names = await readdir(log)
  const checkpoint = names.find((name) => name.endsWith('.checkpoint.parquet'))!
  const before = checkpoint.replace('.checkpoint.parquet', '.json')
  for (const name of names) if (name.endsWith('.json') && name < before) await rm(join(log, name))
  expect(readWithDeltaRs(join(dir, MESSAGES)).rows).toEqual(written)
})

test.skipIf(!hasReader)(
  'delta-rs reads a table that gained columns, lists, nulls and times of all years',
  async () => {
    const store = await localStore(nodeDisk(), dir, nodeRandom())
    const table = openTable('cells', { store, clock: new SimClock(START_MS), random: nodeRandom() })
    const key = { name: 'key', type: 'string', nullable: false } as const
    const date = { name: 'date', type: 'date', nullable: false } as const
    const added = [
      { name: 'at', type: 'timestamp', nullable: true },
      { name: 'sketch', type: 'sketch', nullable: true },
      { name: 'share', type: 'double', nullable: true },
    ] as const
    const about = (of: string, min = {}) => ({ partition: { date: of }, rows: 1, min, max: min })
    const write = (columns: ParquetColumn[], of: string, min = {}) =>
      table.writeFile(encodeParquet(columns), about(of, min))
    const named = (name: string): ParquetColumn => ({ name: 'key', type: 'string', values: [name] })
    const cell = (name: string, at: string | null, sketch: unknown, share: number | null) => {
      const values: readonly unknown[] = [at === null ? null : Date.parse(at), sketch, share]
      return [named(name), ...added.map((column, i) => ({ ...column, values: [values[i]] }))]
    }

    const base = await table.create({ fields: [key, date], partitionBy: ['date'] }, {})
    await table.commit(base, {
      operation: 'TEST',
      add: [await write([named('before')], '2026-11-22')],
      dataChange: true,
    })
    const first = '0001-01-01T00:00:00.000Z'
    const last = '9999-12-31T23:59:59.999Z'
    await table.commit((await table.snapshot())!, {
      operation: 'TEST',
      schema: { fields: [key, ...added, date], partitionBy: ['date'] },
      add: [
        await write(cell('first', first, [{ bucket: 7, count: 2n }], 0.5), '0001-01-01', { at: first }),
        await write(cell('last', last, [], null), '9999-12-31', { at: last }),
        await write(cell('none', null, null, null), '1969-12-31'),
      ],
      dataChange: true,
    })
    const rows = readText(join(dir, 'cells'), ['key', 'at', 'sketch', 'share', 'date'])
    expect(rows.sort()).toEqual([
      'before|None|None|None|2026-11-22',
      "first|0001-01-01 00:00:00+00:00|[{'bucket': 7, 'count': 2}]|0.5|0001-01-01",
      'last|9999-12-31 23:59:59.999000+00:00|[]|None|9999-12-31',
      'none|None|None|None|1969-12-31',
    ])
  },
)

/** The rows of a table, the columns of each as Python prints them. */
function readText(path: string, columns: readonly string[]): string[] {
  const script = `
import json, os, sys
from deltalake import DeltaTable
rows = DeltaTable(sys.argv[1]).to_pyarrow_table().to_pylist()
print(json.dumps(["|".join(str(row[name]) for name in sys.argv[2:]) for row in rows]), flush=True)
os._exit(0)
`
  return JSON.parse(execFileSync(python!, ['-c', script, path, ...columns], { encoding: 'utf8' })) as string[]
}

/** `messages` after some seals over two dates, a compaction of each date, and upkeep. Gives every row as text. */
async function writeTable(root: string): Promise<string[]> {
  const clock = new SimClock(START_MS)
  const store = await localStore(nodeDisk(), root, nodeRandom())
  const table = openTable(MESSAGES, { store, clock, random: nodeRandom() })
  let last = await table.create(messagesSchema(host), { 'tidemark.created': String(START_MS) })
  const all: MessageRows[] = []
  for (let seal = 0; seal < SEALS; seal++) {
    await clock.advance(600_000)
    const rows = sampleRows(seal)
    all.push(rows)
    const add = [await table.writeFile(encodeMessages(host, rows), describeMessages(rows, dateOf(rows)))]
    const txns = { [sealApp(0)]: { version: seal, lastUpdatedMs: clock.nowMs() } }
    last = await table.commit(last, { add, txns, dataChange: true, operation: 'SEAL', info: { seal } })
    if (seal === SEALS - 3) last = await compact(table, last)
    if (seal === SEALS - 2) await table.tend(clock.nowMs(), 86_400_000)
  }
  return texts(joinRows(all))
}

async function compact(table: Table, base: Snapshot): Promise<Snapshot> {
  const inputs = [...base.files.values()].filter((file) => file.partition.date === '2026-11-22')
  const parts = await Promise.all(
    inputs.map(async (file) => decodeMessages(host, await table.readFile(file))),
  )
  const rows = sortRows(joinRows(parts))
  const add = [await table.writeFile(encodeMessages(host, rows), describeMessages(rows, '2026-11-22'))]
  const remove = inputs.map(({ path }) => path)
  return table.commit(base, { add, remove, dataChange: false, operation: 'OPTIMIZE' })
}

function dateOf({ columns }: MessageRows): string {
  return new Date(columns.timeMs[0]!).toISOString().slice(0, 10)
}

/** The rows of one seal: names of all sorts, agents and none, values of all sizes, milliseconds. */
function sampleRows(seal: number): MessageRows {
  const each = <T>(value: (i: number) => T) => Array.from({ length: ROWS_PER_SEAL }, (_, i) => value(i))
  return sortRows({
    columns: hostColumns(
      each((i) => ({
        service: ['web', 'zahlung ü', '漢字/=%'][i % 3]!,
        host: `host-${i % 7}`,
        agent: i % 2 ? 'agent-1' : null,
        seq: i % 2 ? seal * ROWS_PER_SEAL + i : null,
        timeMs: START_MS + seal * 600_000 + i * 1_001,
        gauges: [i / 3, 1e15, i === 0 ? 0 : 1e-9 * i],
      })),
    ),
    partition: new Int32Array(ROWS_PER_SEAL),
    offset: new Float64Array(ROWS_PER_SEAL).fill(seal),
    index: Int32Array.from(each((i) => i)),
  })
}

/** One text a row, the same as `ROWS` in Python makes; sorted. */
function texts({ columns, partition, offset, index }: MessageRows): string[] {
  const lines = Array.from({ length: columns.length }, (_, i) => {
    const { names, timeMs, gauges, agent, seq } = messageAt(columns, i)
    return JSON.stringify([
      ...names,
      timeMs,
      ...gauges.map((gauge) => gauge.toExponential(12)),
      agent,
      seq,
      partition[i],
      offset[i],
      index[i],
      new Date(timeMs).toISOString().slice(0, 10),
    ])
  })
  return lines.sort()
}

const READ = `
import json, os, sys
from deltalake import DeltaTable
table = DeltaTable(sys.argv[1], version=int(sys.argv[2]) if len(sys.argv) > 2 else None)
rows = []
for row in table.to_pyarrow_table().to_pylist():
    rows.append([row["service"], row["host"], round(row["time_stamp"].timestamp() * 1000),
        row["cpu"], row["ram"], row["disk"], row["agent"], row["seq"],
        row["partition"], row["offset"], row["index"], str(row["date"])])
print(json.dumps({"version": table.version(), "rows": rows}), flush=True)
os._exit(0)
`

function readWithDeltaRs(path: string, version?: number): { version: number; rows: string[] } {
  const args = ['-c', READ, path, ...(version === undefined ? [] : [String(version)])]
  const output = execFileSync(python!, args, { encoding: 'utf8', maxBuffer: 64 << 20 })
  const read = JSON.parse(output) as { version: number; rows: unknown[][] }
  const rows = read.rows.map((row) =>
    JSON.stringify(row.map((value, i) => (i >= 3 && i <= 5 ? (value as number).toExponential(12) : value))),
  )
  return { version: read.version, rows: rows.sort() }
}
