import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { nodeClock } from '../../cli/host/clock.ts'
import { nodeDisk } from '../../cli/host/disk.ts'
import { nodeRandom } from '../../cli/host/random.ts'
import type { Table } from '../../lake/delta/port.ts'
import { openTable } from '../../lake/delta/table.ts'
import { decodeParquet } from '../../lake/parquet/codec.ts'
import { localStore } from '../../lake/store/local.ts'
import { needs } from './needs.ts'
import { type Asked, rowText, tableReaders } from './table-readers.ts'
import { runCommand } from './up.ts'

/** Delta readers that we did not write, over every kind of table, before and after compaction, checkpoint and vacuum. */

const NAMES = ['web', 'a/b', '50%', 'x=y', ' two words ', 'v1.2..', '🚀é漢', '%2F%3D']
const FILES = 22
const TABLES = ['messages', 'plant_messages', 'service_minute', 'host_minute', 'plant_minute']

let dir: string
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'tidemark-tables-'))
})
afterAll(() => rm(dir, { recursive: true, force: true }))

const data = () => join(dir, 'data')
async function command(...args: string[]): Promise<string> {
  const { code, out, err } = await runCommand([
    ...args,
    '--data',
    data(),
    '--config',
    join(dir, 'tidemark.toml'),
  ])
  if (code !== 0) throw new Error(`${args.join(' ')}: ${err}`)
  return out
}

async function table(name: string): Promise<Table> {
  const random = nodeRandom()
  return openTable(name, {
    store: await localStore(nodeDisk(), join(data(), 'lake'), random),
    clock: nodeClock(),
    random,
  })
}

/** One file a date and more: small ones, that a compaction merges; gauges repeat, are missing, and are of all sizes. */
async function writeHistory(): Promise<void> {
  await mkdir(join(dir, 'host'))
  await mkdir(join(dir, 'plant'))
  for (let f = 0; f < FILES; f++) {
    const lines = NAMES.flatMap((service, s) =>
      NAMES.map((host, h) => {
        const timeMs = Date.UTC(2026, 10, 20 + (f % 2), f, s, h, 7 * f)
        return { service, host, time_stamp: timeMs, cpu: (s + h + f) % 5, ram: s / 3, disk: 1e15 + h }
      }),
    )
    await writeFile(join(dir, `host/${f}.ndjson`), lines.map((line) => JSON.stringify(line)).join('\n'))
    const plant = lines.map(({ service, time_stamp, cpu }, i) => {
      return { line: service, time_stamp, heat: cpu, ...(i % 3 === 0 && { wet: i }) }
    })
    await writeFile(join(dir, `plant/${f}.ndjson`), plant.map((line) => JSON.stringify(line)).join('\n'))
  }
  await writeFile(join(dir, 'tidemark.toml'), PLANT)
}

const PLANT = `
[datasets.plant]
keys = ["line"]
[datasets.plant.gauges.heat]
[datasets.plant.gauges.wet]
optional = true
`

/** The rows of a version as we read them. */
async function ours({ path, version }: Asked): Promise<string[]> {
  const read = await table(path.slice(join(data(), 'lake').length + 1))
  const { files, schema } = await read.at(version)
  const rows: string[] = []
  for (const file of files.values()) {
    const columns = await decodeParquet(await read.readFile(file))
    for (let i = 0; i < file.rows; i++) {
      const values = schema.fields.map(({ name }) => {
        return [name, name in file.partition ? file.partition[name] : plain(columns[name]?.[i] ?? null)]
      })
      rows.push(rowText(Object.fromEntries(values)))
    }
  }
  return rows.sort()
}

function plain(value: unknown): unknown {
  if (!Array.isArray(value)) return value
  return (value as { bucket: number; count: bigint }[]).map(({ bucket, count }) => [bucket, Number(count)])
}

const newest = async (name: string) => (await (await table(name)).snapshot())!.version
const path = (name: string) => join(data(), 'lake', name)
const newestOfAll = async () =>
  Promise.all(TABLES.map(async (name) => ({ path: path(name), version: await newest(name) })))

describe('tables are read by others as by us', () => {
  const readers = tableReaders('').map(({ name, found }) => ({ name, found: needs(name, found) }))
  /** Versions that can be read before the vacuum, and after it; what we read of each. */
  const stages: { [stage: string]: { asked: readonly Asked[]; rows: readonly string[][] } } = {}
  const keep = async (stage: string, asked: readonly Asked[]) => {
    stages[stage] = { asked, rows: await Promise.all(asked.map(ours)) }
  }

  beforeAll(async () => {
    if (readers.every(({ found }) => !found)) return
    await writeHistory()
    await command('import', join(dir, 'host'), '--yes')
    await command('import', join(dir, 'plant'), '--dataset', 'plant', '--yes')
    const small = await newestOfAll()
    await keep('before', small)
  }, 300_000)

  /** Spark, whose start takes longer than all else, reads small files as an older version. */
  const reading = async (stage: string) => {
    const { asked, rows } = stages[stage]!
    expect(rows.every((of) => of.length > 0)).toBe(true)
    for (const { name, found } of readers) {
      if (!found || (stage === 'before' && name.startsWith('Spark'))) continue
      const reader = tableReaders(join(dir, 'read.json')).find((one) => one.name === name)!
      const read = await reader.read(asked)
      for (const [i, { path, version }] of asked.entries())
        expect({ name, path, version, rows: read[i] }).toEqual({ name, path, version, rows: rows[i] })
    }
  }

  test('small files', () => reading('before'), 600_000)

  test('an older version and the newest, compacted, from a checkpoint', async () => {
    const small = stages.before!.asked
    await command('lake', 'compact')
    await keep('compacted', [...small, ...(await newestOfAll())])
    for (const name of ['messages', 'plant_messages'])
      expect(await readdir(join(path(name), '_delta_log'))).toContainEqual(
        expect.stringMatching(/checkpoint\.parquet$/),
      )
    await reading('compacted')
  }, 600_000)

  test('after a vacuum, an older version among them that is kept', async () => {
    const compacted = await newest('messages')
    await writeFile(
      join(dir, 'late.ndjson'),
      JSON.stringify({
        service: 'late',
        host: 'h',
        time_stamp: Date.UTC(2026, 10, 19),
        cpu: 1,
        ram: 1,
        disk: 1,
      }),
    )
    await command('import', join(dir, 'late.ndjson'), '--yes')
    await command('lake', 'vacuum', '--lake-retention', '1s', '--force')
    await keep('vacuumed', [...(await newestOfAll()), { path: path('messages'), version: compacted }])
    await reading('vacuumed')
  }, 600_000)
})
