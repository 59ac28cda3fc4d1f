import { execFileSync } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { nodeClock } from '../../cli/host/clock.ts'
import { nodeDisk } from '../../cli/host/disk.ts'
import { nodeRandom } from '../../cli/host/random.ts'
import type { DataFile } from '../../lake/delta/port.ts'
import { openTable } from '../../lake/delta/table.ts'
import { describeMessages, encodeMessages } from '../../lake/parquet/messages.ts'
import { type MessageRows, sortRows } from '../../lake/parquet/order.ts'
import { localStore } from '../../lake/store/local.ts'
import { host } from '../../schemas/datasets/host.ts'
import { hostColumns } from '../sim/messages.ts'
import { needs } from './needs.ts'
import { python } from './outside.ts'
import { runCommand, startUp } from './up.ts'
import { ackMs } from './watch.ts'

/** Upkeep of the tables by hand: beside `up`, killed, and with everything still there. */

let dir: string
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'tidemark-upkeep-'))
})
afterEach(() => rm(dir, { recursive: true, force: true }))

const command = (...args: string[]) => runCommand([...args, '--data', join(dir, 'data')])
const DAYS = 4
const FILES = 3
const ROWS = 500

/** So many files a date, committed as imports are; `up`, which merges after its seals, has nothing to seal. */
async function fill(): Promise<void> {
  const random = nodeRandom()
  const store = await localStore(nodeDisk(), join(dir, 'data/lake'), random)
  const table = openTable('messages', { store, clock: nodeClock(), random })
  for (let i = 0; i < FILES; i++) {
    const add: DataFile[] = []
    for (let day = 1; day <= DAYS; day++) {
      const rows = rowsOf(`2026-11-0${day}`, i)
      add.push(await table.writeFile(encodeMessages(host, rows), describeMessages(rows, `2026-11-0${day}`)))
    }
    await table.commit((await table.snapshot())!, { add, dataChange: true, operation: 'TEST' })
  }
}

function rowsOf(date: string, file: number): MessageRows {
  const each = <T>(of: (i: number) => T) => Array.from({ length: ROWS }, (_, i) => of(i))
  return sortRows({
    columns: hostColumns(
      each((n) => ({
        service: ['web', 'ends %2F/=', 'dots..', 'emoji 🚀', ' spaces '][n % 5]!.trim(),
        host: `h${(n + file) % 5}`,
        timeMs: Date.parse(date) + n * 100_000 + file,
        gauges: [n % 10, file, 1],
      })),
    ),
    partition: new Int32Array(ROWS).fill(-1),
    offset: new Float64Array(ROWS).fill(file),
    index: Int32Array.from(each((n) => n)),
  })
}

const COUNT = 'SELECT service, count(*), sum(cpu), sum(ram) FROM messages GROUP BY ALL ORDER BY ALL'
const lines = (text: string) =>
  text === ''
    ? []
    : text
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line))
const live = async () =>
  (await readdir(join(dir, 'data/lake/messages'), { recursive: true })).filter((name) =>
    /^date.*parquet$/.test(name),
  )

const hasReader = needs('deltalake', python !== null)
const READ = `
import collections, json, os, sys
from deltalake import DeltaTable
table = DeltaTable(sys.argv[1], version=int(sys.argv[2]) if len(sys.argv) > 2 else None)
found = collections.defaultdict(lambda: [0, 0.0, 0.0])
for row in table.to_pyarrow_table(columns=["service", "cpu", "ram"]).to_pylist():
    of = found[row["service"]]
    found[row["service"]] = [of[0] + 1, of[1] + row["cpu"], of[2] + row["ram"]]
print(json.dumps(sorted([name, *sums] for name, sums in found.items())), flush=True)
os._exit(0)
`

/** What `COUNT` asks, answered by delta-rs; null where it is not installed. */
function outside(version?: number): unknown {
  if (!hasReader) return null
  const args = [join(dir, 'data/lake/messages'), ...(version === undefined ? [] : [String(version)])]
  return JSON.parse(execFileSync(python!, ['-c', READ, ...args], { encoding: 'utf8' }))
}

test('what is compacted answers the same, old versions too, and a vacuum removes no more than may go', async () => {
  const up = await startUp(join(dir, 'data'), ['--agent-enabled', 'false', '--lake-retention', '3h'])
  expect(up.output()).toMatch(/lake\.retention is 3h, shorter than 4h: .* may lose the files they read/)
  try {
    await fill()
    const before = (await command('query', COUNT, '--format', 'csv')).out
    const version = Number(/version (\d+)/.exec((await command('query', COUNT)).err)![1])
    const seen = outside()
    const planned = await command('lake', 'compact', '--dry-run', '--format', 'json')
    const merges = lines(planned.out) as { table: string; date: string; files: number; rows: number }[]
    expect(merges.map(({ date, files, rows }) => [date, files, rows])).toEqual(
      Array.from({ length: DAYS }, (_, day) => [`2026-11-0${day + 1}`, FILES, FILES * ROWS]),
    )
    expect(await live()).toHaveLength(DAYS * FILES)
    // Killed at whatever it does; given again it goes on.
    for (const ms of [400, 900, 1_300]) await runCommand(['lake', 'compact', '--data', join(dir, 'data')], ms)
    expect(await command('lake', 'compact')).toMatchObject({ code: 0 })
    expect(await command('lake', 'compact', '--dry-run')).toMatchObject({ out: 'Nothing is to be merged.\n' })
    const read = await command('query', COUNT, '--format', 'csv')
    expect(read.out).toBe(before)
    expect(read.err).toMatch(
      new RegExp(`${(DAYS * FILES * ROWS).toLocaleString('en')} rows in ${DAYS} files`),
    )
    expect((await command('query', COUNT, '--format', 'csv', '--as-of', String(version))).out).toBe(before)
    expect([outside(), outside(version)]).toEqual([seen, seen])
    expect(await command('lake', 'vacuum', '--dry-run')).toMatchObject({ out: 'Nothing is to be removed.\n' })
    expect(await command('lake', 'vacuum')).toMatchObject({ code: 0, out: 'Nothing was to be removed.\n' })
    expect((await command('query', COUNT, '--format', 'csv', '--as-of', String(version))).out).toBe(before)
    // With no retention what was merged goes once the table has gone on, and nothing else.
    const path = join(dir, 'late.csv')
    await writeFile(path, 'service,host,time_stamp,cpu,ram,disk\nlate,h,2026-11-20T00:00:00Z,1,1,1\n')
    await command('import', path)
    const none = ['--lake-retention', '1s', '--format', 'json']
    const dry = lines((await command('lake', 'vacuum', '--dry-run', ...none)).out) as {
      table: string
      path: string
    }[]
    const doomed = dry.filter(({ table, path }) => table === 'messages' && path.endsWith('.parquet'))
    expect(doomed.length).toBeGreaterThanOrEqual(DAYS * FILES)
    expect(await command('lake', 'vacuum', ...none)).toMatchObject({
      code: 2,
      out: '',
      err: expect.stringContaining('lake.retention is shorter than 4h'),
    })
    expect(await live()).toEqual(expect.arrayContaining(doomed.map(({ path }) => path)))
    const removed = lines((await command('lake', 'vacuum', ...none, '--force')).out) as { path: string }[]
    expect(removed.map(({ path }) => path)).toEqual(expect.arrayContaining(doomed.map(({ path }) => path)))
    expect((await live()).filter((name) => doomed.some(({ path }) => path === name))).toEqual([])
    if (hasReader) expect(outside()).toEqual(expect.arrayContaining(seen as unknown[]))
    const late = "SELECT count(*) FROM messages WHERE service <> 'late'"
    expect((await command('query', late, '--format', 'csv')).out).toContain(String(DAYS * FILES * ROWS))
    const acts = lines((await command('lake', 'audit', '--format', 'json')).out) as {
      what: string
      about: object
    }[]
    expect(acts.map(({ what }) => what)).toEqual(expect.arrayContaining(['lake compact', 'lake vacuum']))
    expect(acts.find(({ what }) => what === 'lake vacuum')!.about).toMatchObject({
      retention_ms: 1_000,
      forced: true,
    })
    expect(await command('batch', '--once')).toMatchObject({ code: 0 })
    const range = 'from=2026-11-01&to=2026-11-21'
    const { services } = (await (await fetch(`${up.serving}/v1/analytics?${range}`)).json()) as {
      services: { messages: number }[]
    }
    expect(services.reduce((sum, { messages }) => sum + messages, 0)).toBe(DAYS * FILES * ROWS + 1)
  } finally {
    expect(await up.end('SIGTERM')).toBe(0)
  }
})

test('damaged logs of what is computed are set aside by a command, while nobody owns the lake', async () => {
  const path = join(dir, 'rows.csv')
  await writeFile(path, 'service,host,time_stamp,cpu,ram,disk\nweb,h,2026-11-20T00:00:00Z,1,1,1\n')
  expect(await command('import', path)).toMatchObject({ code: 0 })
  const log = (table: string) => join(dir, 'data/lake', table, '_delta_log')
  const damage = async (table: string) => {
    const names = (await readdir(log(table))).filter((name) => name.endsWith('.json')).sort()
    const at = join(log(table), names.at(-1)!)
    const before = await readFile(at)
    await writeFile(at, before.subarray(0, 20))
    return () => writeFile(at, before)
  }
  expect(await command('lake', 'mend')).toMatchObject({
    code: 0,
    out: 'Nothing is damaged that could be made anew.\n',
  })
  for (const table of ['service_minute', 'service_minute_ticks', 'runs']) await damage(table)
  const mended = await command('lake', 'mend', '--json')
  expect([mended.code, lines(mended.out)]).toEqual([
    0,
    ['service_minute', 'service_minute_ticks', 'runs'].map((table) => ({ table })),
  ])
  expect(await command('batch', '--once')).toMatchObject({ code: 0 })
  const cells = await command('query', 'SELECT msg_num FROM service_minute', '--format', 'csv')
  expect(cells.out.split(/\r?\n/)).toEqual(['msg_num', '1', ''])
  const acts = lines((await command('lake', 'audit', '--json')).out) as { what: string }[]
  expect(acts.map(({ what }) => what)).toContain('lake mend')

  const up = await startUp(join(dir, 'data'), ['--agent-enabled', 'false'])
  expect(await command('lake', 'mend')).toMatchObject({
    code: 1,
    err: expect.stringContaining('E_LAKE_OWNED'),
  })
  expect(await up.end('SIGTERM')).toBe(0)

  const restore = await damage('messages')
  expect(await command('lake', 'mend')).toMatchObject({
    code: 1,
    err: expect.stringMatching(
      /messages\/_delta_log\/.*E_TABLE_DAMAGED\): restore the named file from a backup/,
    ),
  })
  await restore()
  expect(await command('lake', 'mend')).toMatchObject({ code: 0 })
})

test('a commit of the messages that goes while `up` runs is noticed with the next seal, and lacks nowhere', async () => {
  const start = () => startUp(join(dir, 'data'), ['--agent-enabled', 'false'])
  let up = await start()
  const path = join(dir, 'rows.csv')
  const importRow = async (time: string) => {
    await writeFile(path, `service,host,time_stamp,cpu,ram,disk\nweb,h,${time},1,1,1\n`)
    expect(await command('import', path)).toMatchObject({ code: 0 })
  }
  await importRow('2026-11-20T00:00:00Z')
  await importRow('2026-11-21T00:00:00Z')
  const log = join(dir, 'data/lake/messages/_delta_log')
  const names = (await readdir(log)).filter((name) => name.endsWith('.json')).sort()
  await rm(join(log, names.at(-2)!))
  // Who reads the table afresh cannot; `up` knows what it said.
  expect((await command('query', 'SELECT 1 FROM messages')).code).toBe(1)
  await ackMs(up.collector.port, 'web')
  expect(await command('batch', '--once')).toMatchObject({ code: 0 })
  await expect
    .poll(up.output, { timeout: 20_000 })
    .toMatch(/messages\/_delta_log\/\d+\.json was lost; .* now holds what it said/)
  await up.end('SIGKILL')
  up = await start()
  const stats = await fetch(`${up.serving}/v1/services/web/stats?from=2026-11-20&to=2100-01-01`)
  expect(await stats.json()).toMatchObject({ messages: 3, complete: true })
  expect(await up.end('SIGTERM')).toBe(0)
})
