import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { DuckDBInstance } from '@duckdb/node-api'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { lookAt } from '../../../cli/commands/import/files.ts'
import { nodeDisk } from '../../../cli/host/disk.ts'
import { openTable } from '../../../lake/delta/table.ts'
import { ImportEngine } from '../../../lake/import/engine.ts'
import { Importing } from '../../../lake/import/importer.ts'
import { decodeMessages } from '../../../lake/parquet/messages.ts'
import { sortRows } from '../../../lake/parquet/order.ts'
import { MemoryStore } from '../../../lake/store/memory.ts'
import { messagesSchema } from '../../../lake/tables/messages.ts'
import { host } from '../../../schemas/datasets/host.ts'
import { DAY_MS } from '../../../schemas/time.ts'
import { SimClock } from '../../sim/clock.ts'
import { simRandom } from '../../sim/random.ts'

/** A Parquet file whose dates lie together is read where it lies, one whose dates are mixed is copied first: the same comes of both. */

const NOW_MS = Date.UTC(2026, 10, 23)
const ROWS = 30_000

let dir: string
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'tidemark-parquet-'))
})
afterEach(async () => {
  vi.restoreAllMocks()
  await rm(dir, { recursive: true, force: true })
})

/** Three days around 1970; here and there a row that can be no message. */
const rowsSql = (order: string, rows = ROWS) => `SELECT * FROM (
  SELECT CASE WHEN i % 5003 = 17 THEN 'a' || chr(7) WHEN i % 4001 = 5 THEN '' ELSE ['s', '\uFFEE', '\u{1F30A}'][i % 3 + 1] END AS service, 'h' || i % 7 AS host,
    make_timestamptz(CASE WHEN i % 9001 = 8 THEN 4000000000000000 ELSE (i * 8000 - 86400000) * 1000 END) AS time_stamp,
    CASE WHEN i % 7001 = 3 THEN 'nan'::DOUBLE ELSE (i % 101) / 4 END AS cpu, (i * 7 % 103)::DOUBLE AS ram, (i % 11)::DOUBLE AS disk
  FROM range(${rows}) of(i)) ORDER BY ${order}`

async function write(name: string, sql: string): Promise<string> {
  const path = join(dir, name)
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  await connection.run("SET TimeZone = 'UTC'")
  await connection.run(`COPY (${sql}) TO '${path}' (FORMAT ${name.split('.')[1]})`)
  connection.closeSync()
  instance.closeSync()
  return path
}

/** What is said of a file's rows and what becomes of them; `between` happens after they were read and before they are taken. */
async function taken(
  path: string,
  between: () => Promise<void> = async () => {},
  map: { [name: string]: string } = {},
) {
  const statements = vi.spyOn(ImportEngine.prototype, 'run')
  const clock = new SimClock(NOW_MS)
  const table = openTable('messages', { store: new MemoryStore(clock), clock, random: simRandom(1) })
  await table.create(messagesSchema(host), {})
  const file = await lookAt({ path, name: 'file' }, null, dir)
  const options = { map, set: {}, timeFormat: null, zone: 'UTC', header: null }
  const importing = await Importing.read(file, options, {
    dataset: host,
    messages: table,
    clock,
    scratch: { disk: nodeDisk(), removeTree: (of) => rm(of, { recursive: true, force: true }) },
    dir: join(dir, 'scratch'),
    signal: new AbortController().signal,
  })
  try {
    await between()
    await importing.commit(() => {})
    const files = [...(await table.snapshot())!.files.values()]
    const dates = []
    for (const one of files.sort((a, b) => (a.path < b.path ? -1 : 1))) {
      const { partition, rows, min, max, tags } = one
      const { crc32: _, ...told } = tags
      const messages = await decodeMessages(host, await table.readFile(one))
      expect(sortRows(messages)).toEqual(messages)
      dates.push({ partition, rows, min, max, told, messages })
    }
    const { staged, firstRows } = importing.preview
    const isCopied = statements.mock.calls.some(([sql]) => sql.includes('PARTITION_BY'))
    return { isCopied, said: { ...staged, firstRows }, dates }
  } finally {
    statements.mockRestore()
    await importing.close()
  }
}

test.each([
  ['in the order of time', 'time_stamp, host, service', false],
  ['in the order of hosts', 'host, service, time_stamp', true],
])('rows %s are the same as those of a CSV file', async (_, order, isCopied) => {
  const csv = await taken(await write('rows.csv', rowsSql(order)))
  const parquet = await taken(await write('rows.parquet', rowsSql(order)))
  expect(parquet.isCopied).toBe(isCopied)
  expect(parquet.said).toEqual(csv.said)
  expect(parquet.dates).toEqual(csv.dates)
  expect(parquet.said.refused.map(({ why }) => why).sort()).toEqual([
    'cpu is missing',
    'service is missing',
    'service must be without control characters',
    'time_stamp is ahead of the clock',
  ])
  expect(parquet.said.dates).toEqual(['1969-12-31', '1970-01-01', '1970-01-02'])
})

test.each([
  ['gzip', gzipSync],
  ['zstd', zstdCompressSync],
] as const)('a Parquet file that is compressed as a whole is read too (%s)', async (_, compress) => {
  const path = await write('rows.parquet', rowsSql('time_stamp'))
  const plain = await taken(path)
  await writeFile(path, compress(await readFile(path)))
  expect((await taken(path)).said).toEqual(plain.said)
})

const AT = "TIMESTAMP '2026-11-22 10:00:00.123456' AS time"

test.each([
  [
    'fields within columns',
    `SELECT ${AT}, {'service': 'web', 'host': {'name': 'h1'}} AS tags, {'cpu': 1.5, 'ram': 2, 'disk': 3} AS "fields"`,
    {
      service: 'tags.service',
      host: 'tags.host.name',
      cpu: 'fields.cpu',
      ram: 'fields.ram',
      disk: 'fields.disk',
    },
  ],
  [
    'a column for each series',
    `SELECT ${AT}, 1.5 AS "cpu {service=web, host=h1}", 2::INT AS "ram {service=web, host=h1}", 3.0::FLOAT AS "disk {service=web, host=h1}"`,
    {},
  ],
])('rows are made of %s', async (_, sql, map: { [name: string]: string }) => {
  const { said } = await taken(await write('odd.parquet', sql), undefined, map)
  expect(said).toMatchObject({
    accepted: 1,
    firstRows: [['web', 'h1', Date.parse('2026-11-22T10:00:00.123Z'), 1.5, 2, 3]],
  })
})

const MESSAGE = `${AT}, 'web' AS service, 'h1' AS host, 1 AS cpu, 2 AS ram`

test.each([
  ['has no rows', `SELECT * FROM (SELECT ${MESSAGE}, 3 AS disk) WHERE false`],
  ['no column is disk; the file has disk, time, service', `SELECT ${MESSAGE}, [1.5, 2.5] AS disk`],
  ['no column is disk; the file has', `SELECT ${MESSAGE}, MAP {'/': 1.5} AS disk`],
])('refused: %s', async (words, sql) => {
  await expect(taken(await write('odd.parquet', sql))).rejects.toMatchObject({
    code: 'E_USAGE',
    message: expect.stringContaining(words),
  })
})

test('a file that has become another since it was read is not taken', async () => {
  const path = await write('rows.parquet', rowsSql('time_stamp'))
  const between = async () => void (await write('rows.parquet', rowsSql('time_stamp', ROWS - 1_000)))
  await expect(taken(path, between)).rejects.toThrow(/file has changed while it was read/)
})

test('many dates written within a second are each described by themselves', async () => {
  const path = await write(
    'rows.csv',
    `SELECT 's' AS service, 'h' || i % 3 AS host, make_timestamptz(i // 100 * 86400000000 + i % 100 * 97000000) AS time_stamp, i % 100 AS cpu, i // 100 AS ram, 7 AS disk FROM range(4000) of(i)`,
  )
  const { dates } = await taken(path)
  expect(dates).toHaveLength(40)
  for (const [i, { rows, min, max }] of dates.entries())
    expect([rows, min.time_stamp, max.time_stamp]).toEqual([
      100,
      new Date(i * DAY_MS).toISOString(),
      new Date(i * DAY_MS + 99 * 97_000).toISOString(),
    ])
})
