import { createHash } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { duckdbEngine } from '../batch/engines/duckdb.ts'
import { startBatch } from '../batch/run.ts'
import { nodeClock } from '../cli/host/clock.ts'
import { nodeDisk } from '../cli/host/disk.ts'
import { nodeRandom } from '../cli/host/random.ts'
import { openTable } from '../lake/delta/table.ts'
import { decodeCells } from '../lake/parquet/cells.ts'
import { localStore } from '../lake/store/local.ts'
import { hoursTag, MESSAGES, messagesSchema, RUNS, sealApp, ticksSchema, ticksTable } from '../lake/tables.ts'
import { makeWake } from '../schemas/ports/wake.ts'
import { DAY_MS } from '../schemas/time.ts'
import { serviceMinute } from '../schemas/views/service-minute.ts'
import { machine, median, timed } from './measure.ts'

/**
 * The recompute of everything: a whole run (plan, DuckDB, Parquet, publish) against two queries written by hand on the
 * same files in the same run. `exact` breaks ties in a maximum as the product must; `loose` takes any row of equal
 * maxima, as most people would write it.
 */
const SERVICES = 20
const HOSTS = 400
const START_MS = Date.UTC(2026, 10, 1)
const DATES = 4

const LOOSE = ['cpu', 'ram', 'disk'].map(
  (gauge) => `sum(${gauge}), max(${gauge}), arg_max(time_stamp, ${gauge}), arg_max(host, ${gauge})`,
)
const EXACT = ['cpu', 'ram', 'disk'].map(
  (gauge) => `sum(${gauge}), min(struct_pack(v := -${gauge}, t := time_stamp, h := host))`,
)

export interface Recompute {
  readonly rows: number
  readonly runMs: number
  readonly exactMs: number
  readonly looseMs: number
  /** SHA-256 over the published cells. */
  readonly hash: string
}

export async function benchRecompute(rows: number, rounds: number): Promise<Recompute> {
  const dir = await mkdtemp(join(tmpdir(), 'tidemark-bench-'))
  try {
    const random = nodeRandom()
    const clock = nodeClock()
    const store = await localStore(nodeDisk(), join(dir, 'lake'), random)
    const table = (name: string) => openTable(name, { store, clock, random })
    const tables = {
      messages: table(MESSAGES),
      viewTable: table(serviceMinute.name),
      ticks: table(ticksTable(serviceMinute)),
      runs: table(RUNS),
    }
    await tables.ticks.create(ticksSchema(serviceMinute), {})
    await writeMessages(tables.messages, dir, rows)
    const batch = await startBatch(
      { view: serviceMinute, tickMs: 30_000, schedule: null, engine: 'duckdb', retentionMs: DAY_MS },
      {
        ...tables,
        openEngine: duckdbEngine(join(dir, 'scratch')),
        sealer: { seal: async () => {} },
        clock,
        random,
        wake: makeWake(),
        logLine: (line) => console.log(line),
      },
    )
    const files = [...(await tables.messages.snapshot())!.files.values()]
    const paths = await Promise.all(files.map((file) => tables.messages.localPath(file)))
    const hand = await handWritten(paths)
    const times = { run: [] as number[], exact: [] as number[], loose: [] as number[] }
    for (let round = 0; round < rounds; round++) {
      times.loose.push(await timed(() => hand.run(LOOSE)))
      times.exact.push(await timed(() => hand.run(EXACT)))
      times.run.push(await timed(() => batch.run({ full: true })))
    }
    hand.close()
    await batch.close()
    const { run, exact, loose } = times
    return {
      rows,
      runMs: median(run),
      exactMs: median(exact),
      looseMs: median(loose),
      hash: await hashOf(tables.viewTable),
    }
  } finally {
    await rm(dir, { recursive: true })
  }
}

/** Whole percentages of hosts that report in turn, over some days: one sorted file a day. */
async function writeMessages(
  messages: ReturnType<typeof openTable>,
  dir: string,
  rows: number,
): Promise<void> {
  const base = await messages.create(messagesSchema, { 'tidemark.created': '0' })
  const db = await DuckDBInstance.create(':memory:')
  const connection = await db.connect()
  await connection.run("SET TimeZone = 'UTC'")
  const each = Math.ceil(rows / DATES)
  const add = []
  for (let d = 0; d < DATES; d++) {
    const path = join(dir, 'rows.parquet')
    const fromMs = START_MS + d * DAY_MS
    await connection.run(
      `COPY (
      SELECT 'service-' || (i % ${SERVICES}) AS service, 'host-' || (i % ${HOSTS}) AS host,
        to_timestamp((${fromMs} + i * ${DAY_MS} // ${each}) / 1000) AS time_stamp,
        (hash(i) % 101)::DOUBLE AS cpu, (hash(i + 1) % 101)::DOUBLE AS ram, (i % ${HOSTS} / 4)::DOUBLE AS disk,
        NULL::VARCHAR AS agent, NULL::BIGINT AS seq, 0::INTEGER AS "partition",
        ${d} * ${each} // 50 + i // 50 AS "offset", (i % 50)::INTEGER AS "index"
      FROM range(${each}) t(i) ORDER BY time_stamp // INTERVAL 1 HOUR, service, host, time_stamp
    ) TO '${path}' (FORMAT parquet, COMPRESSION zstd)`.replace(
        'time_stamp // INTERVAL 1 HOUR',
        `i * 24 // ${each}`,
      ),
    )
    const first = Math.floor((d * each) / 50)
    add.push(
      await messages.writeFile(await readFile(path), {
        partition: { date: new Date(fromMs).toISOString().slice(0, 10) },
        rows: each,
        min: {},
        max: {},
        tags: {
          hours: hoursTag(Array.from({ length: 24 }, (_, hour) => hour)),
          offsets: JSON.stringify({ 0: [first, first + Math.floor(each / 50)] }),
        },
      }),
    )
  }
  connection.closeSync()
  db.closeSync()
  const covered = { version: Math.ceil((DATES * each) / 50) + 1, lastUpdatedMs: Date.now() }
  await messages.commit(base, { operation: 'SEAL', add, dataChange: true, txns: { [sealApp(0)]: covered } })
}

async function handWritten(paths: readonly string[]) {
  const db = await DuckDBInstance.create(':memory:')
  const connection = await db.connect()
  const source = `read_parquet([${paths.map((path) => `'${path}'`).join(', ')}])`
  return {
    run: (aggregates: readonly string[]) =>
      connection.run(`CREATE OR REPLACE TEMP TABLE cells AS
        SELECT service, epoch_ms(time_stamp) // 60000 AS minute, count(*), ${aggregates.join(', ')}
        FROM ${source} GROUP BY ALL ORDER BY ALL`),
    close() {
      connection.closeSync()
      db.closeSync()
    },
  }
}

async function hashOf(table: ReturnType<typeof openTable>): Promise<string> {
  const hash = createHash('sha256')
  const files = [...(await table.snapshot())!.files.values()]
  for (const file of files.sort((a, b) => (a.partition.date! < b.partition.date! ? -1 : 1))) {
    for (const { key, minuteMs, cell } of await decodeCells(serviceMinute, await table.readFile(file))) {
      hash.update(JSON.stringify([key, minuteMs, cell.messages, cell.max, cell.maxTimeMs, cell.maxHost]))
    }
  }
  return hash.digest('hex').slice(0, 16)
}

/** What the benchmark prints. */
export function recomputeText({ rows, runMs, exactMs, looseMs, hash }: Recompute): string {
  const ms = (value: number) => `${value.toFixed(0)} ms`
  return [
    `recompute of ${rows.toLocaleString('en')} messages on ${machine()}`,
    `  a whole run (median)             ${ms(runMs)}`,
    `  by hand, ties exact (median)     ${ms(exactMs)}   run / it = ${(runMs / exactMs).toFixed(2)}`,
    `  by hand, ties loose (median)     ${ms(looseMs)}   run / it = ${(runMs / looseMs).toFixed(2)}`,
    `  hash of the cells                ${hash}`,
  ].join('\n')
}
