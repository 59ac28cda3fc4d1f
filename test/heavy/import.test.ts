import { execFileSync, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { appendFile, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { DuckDBInstance } from '@duckdb/node-api'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { needs } from './needs.ts'
import { ENTRY, environment, runCommand, startUp } from './up.ts'
import { ackMs } from './watch.ts'

/** Files of other tools, as their programs write them, brought into the lake by the command. */

let dir: string
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'tidemark-import-'))
})
afterEach(() => rm(dir, { recursive: true, force: true }))

const data = () => join(dir, 'data')

async function file(name: string, content: string | Uint8Array): Promise<string> {
  await writeFile(join(dir, name), content)
  return join(dir, name)
}

const importing = (...args: string[]) => runCommand(['import', ...args, '--data', data()])

interface Stats {
  readonly service: string
  readonly messages: number
  readonly complete: boolean
  readonly cpu: {
    readonly total: number
    readonly max: number
    readonly max_time: string
    readonly max_host: string
  }
}

/** What the API says of the day of all files, on a process that is started for it. */
async function analytics(): Promise<readonly Stats[]> {
  const up = await startUp(data(), ['--agent-enabled', 'false'])
  try {
    const answer = await fetch(`${up.serving}/v1/analytics?from=2026-11-22&to=2026-11-23`)
    return ((await answer.json()) as { services: Stats[] }).services
  } finally {
    await up.end('SIGTERM')
  }
}

const SADF = `# hostname;interval;timestamp;CPU;%user;%memused;%fsused
web-1;600;2026-11-22 10:10:01 UTC;-1;1.50;40.2;71
web-1;600;2026-11-22 10:20:01 UTC;-1;2.50;40.2;71
`
const EXCEL = `\ufeffTime;Service;Host;CPU (%);RAM;Disk\r
22.11.2026 11:00;web;h1;1,5;20;30\r
22.11.2026 11:01;web;h2;x;20;30\r
22.11.2026 11:02;"shop;eu";h2;1.234,5;20;30\r
22.11.2026 11:03;web;h2\r
22.11.2026 11:04;a\u202eb;h2;1;2;3\r
`
const INFLUX = `#datatype,string,long,dateTime:RFC3339,double,double,double,string
#group,false,false,false,false,false,false,true
#default,_result,,,,,,
,result,table,_time,cpu,mem,disk,host
,,0,2026-11-22T10:00:00.123456789Z,1,2,3,h1
,,0,2026-11-22T10:00:10Z,4,2,3,h1
`

test('files of sadf, Excel and InfluxDB are taken for what they are, and what is wrong in them is told', async () => {
  expect(
    await importing(await file('sar.csv', SADF), '--set', 'service=sar', '--map', 'cpu=%user'),
  ).toMatchObject({
    code: 0,
    out: expect.stringContaining('sar.csv: 2 rows taken'),
  })
  const excel = await importing(await file('excel.csv', EXCEL), '--tz', 'Europe/Berlin')
  expect(excel.code).toBe(0)
  expect(excel.out).toContain('excel.csv: 2 rows taken')
  for (const words of ['cpu is no number (the first is row 2)', 'missing columns', 'turn the direction'])
    expect(excel.out).toContain(words)
  const [rejects] = await readdir(join(data(), 'rejects'))
  const kept = await readFile(join(data(), 'rejects', rejects!), 'utf8')
  expect(kept.trim().split('\n')).toHaveLength(4)
  expect(kept).toContain('22.11.2026 11:03;web;h2')
  expect(kept).toContain('""time_stamp"":""2026-11-22T10')
  const zipped = await file('influx.csv.zst', zstdCompressSync(INFLUX))
  expect((await importing(zipped, '--set', 'service=influx')).out).toContain('2 rows taken')
  const all = await analytics()
  expect(all.map(({ service, messages, complete }) => [service, messages, complete ?? true])).toEqual([
    ['influx', 2, true],
    ['sar', 2, true],
    ['shop;eu', 1, true],
    ['web', 1, true],
  ])
  expect(all.map(({ cpu }) => [cpu.total, cpu.max_time, cpu.max_host])).toEqual([
    [5, '2026-11-22T10:00:10.000Z', 'h1'],
    [4, '2026-11-22T10:20:01.000Z', 'web-1'],
    [1234.5, '2026-11-22T10:02:00.000Z', 'h2'],
    [1.5, '2026-11-22T10:00:00.000Z', 'h1'],
  ])
})

test('tables of InfluxDB in long form are rows of messages; a dry run shows how they are made', async () => {
  const table = (field: string, values: readonly number[]) =>
    `#datatype,string,long,dateTime:RFC3339,double,string,string,string\n,result,table,_time,_value,_field,_measurement,host\n${values
      .map((value, i) => `,,0,2026-11-22T10:00:0${i}Z,${value},${field},gauges,h1\n`)
      .join('')}\n`
  const all = [table('cpu', [1, 4]), table('ram', [2, 2]), table('disk', [3])].join('')
  const path = await file('long.csv.gz', gzipSync(all))
  const dry = await importing(path, '--set', 'service=influx', '--dry-run')
  expect(dry.err).toContain('tables of InfluxDB, 3 series of "cpu", "disk", "ram"')
  expect(dry.out).toContain('1 row would be taken\n  1 row refused: disk is missing')
  expect((await importing(path, '--set', 'service=influx')).out).toContain('1 row taken')
  expect(await analytics()).toMatchObject([
    { service: 'influx', messages: 1, cpu: { total: 1, max_host: 'h1' } },
  ])
})

test('a file counts once: given twice, killed at any time, beside a process that receives', async () => {
  const lines = Array.from({ length: 60_000 }, (_, i) => {
    const time = new Date(Date.UTC(2026, 10, 22) + i * 1_000).toISOString()
    return JSON.stringify({
      service: 'old',
      host: `h${i % 7}`,
      time_stamp: time,
      cpu: i % 10,
      ram: 1,
      disk: 1,
    })
  })
  const path = await file('old.ndjson.gz', gzipSync(lines.join('\n')))
  const up = await startUp(data(), ['--agent-enabled', 'false'])
  await ackMs(up.collector.port, 'new')
  for (let killed = 0; killed < 4; killed++)
    await runCommand(['import', path, '--data', data()], 150 + 150 * killed)
  const first = await importing(path)
  expect([first.code, first.err]).toEqual([0, expect.anything()])
  expect((await importing(path)).out).toContain('is in the lake already; nothing changes')
  const asked = `${up.serving}/v1/services/old/stats?from=2026-11-22&to=2026-11-23`
  const expected = { messages: 60_000, complete: true, cpu: expect.objectContaining({ total: 270_000 }) }
  await fetch(`${up.serving}/v1/runs`, {
    method: 'POST',
    body: '{"full":true}',
    headers: { 'content-type': 'application/json' },
  })
  await expect.poll(async () => (await fetch(asked)).json(), { timeout: 20_000 }).toMatchObject(expected)
  const others = await (await fetch(`${up.serving}/v1/services`)).json()
  expect((others as { services: { service: string }[] }).services.map(({ service }) => service)).toEqual([
    'new',
    'old',
  ])
  expect(await up.end('SIGTERM')).toBe(0)
  expect((await readdir(join(data(), 'scratch'))).filter((name) => name.startsWith('import-'))).toEqual([])
})

test('a Parquet file of pandas keeps its times, and a dry run writes nothing', async () => {
  const path = join(dir, 'pandas.parquet')
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  await connection.run(
    `COPY (SELECT 'web' AS service, 1.5 AS cpu, 2::BIGINT AS ram, 3::FLOAT AS disk,
      make_timestamp_ns(1795341600123456789) AS __index_level_0__) TO '${path}' (FORMAT parquet)`,
  )
  connection.closeSync()
  instance.closeSync()
  const dry = await importing(path, '--dry-run')
  expect(dry.out).toContain('1 row would be taken')
  expect(dry.err).toContain('2026-11-22T10:00:00.123Z')
  // Nothing was written, the data directory neither.
  expect(existsSync(data())).toBe(false)
  expect((await importing(path)).out).toContain('1 row taken')
  expect(await analytics()).toMatchObject([{ service: 'web', messages: 1 }])
})

test('a folder is all its files; one that cannot be taken does not hold up the others', async () => {
  await mkdir(join(dir, 'all/more'), { recursive: true })
  await file('all/._a.csv', 'what a Mac keeps of a.csv')
  await file('all/a.csv', 'service,time,cpu,ram,disk\nweb,2026-11-22T10:00:00Z,1,2,3\n')
  await file('all/more/b.csv', 'service,time,cpu,ram,disk\nweb,2026-11-22T10:00:00Z,2,2,3\n')
  await file('all/more/c.csv', 'service,cpu\nweb,1\n')
  const first = await importing(join(dir, 'all'))
  expect(first).toMatchObject({ code: 1, err: expect.stringContaining('no column is') })
  expect(await analytics()).toMatchObject([{ service: 'web', messages: 2 }])
  await appendFile(join(dir, 'all/a.csv'), 'web,2026-11-22T10:00:00Z,1,2,3\n')
  expect((await importing(join(dir, 'data', 'lake'))).err).toContain('holds a Delta table')
})

const HEADER = 'service,host,time_stamp,cpu,ram,disk\n'
const rowOf = (service: string) => `${service},h,2026-11-22T10:00:00Z,1,2,3\n`

test('a row with NULs is refused, and so are thousands of wrong names: the others are taken', async () => {
  const nul = `${HEADER}${rowOf('web')}${rowOf('we\0b')}${'\0'.repeat(1_000)}\n${rowOf('shop')}`
  const csv = await importing(await file('nul.csv', nul))
  expect([csv.code, csv.out]).toEqual([0, expect.stringContaining('nul.csv: 2 rows taken')])
  expect(csv.out).toContain('service must be without control characters')
  const line = (service: string) =>
    `${JSON.stringify({ service, host: 'h', time_stamp: '2026-11-22T10:00:00Z', cpu: 1, ram: 2, disk: 3 })}\n`
  const ndjson = await importing(await file('nul.ndjson', `${line('we\0b')}\0\0\n${line('other')}`))
  expect([ndjson.code, ndjson.out]).toEqual([0, expect.stringContaining('nul.ndjson: 1 row taken')])
  const wrong = Array.from({ length: 5_000 }, (_, i) => rowOf(`${i}\u202e`)).join('')
  const many = await importing(await file('many.csv', `${HEADER}${wrong}${rowOf('last')}`))
  expect(many.out).toContain('many.csv: 1 row taken')
  expect(many.out).toMatch(/5,000 rows refused: service must be without characters that turn the direction/)
})

test('a file that is cut off or no file at all is refused at once; of a folder only its files are taken', async () => {
  const whole = gzipSync(HEADER + Array.from({ length: 5_000 }, (_, i) => rowOf(`s-${i}`)).join(''))
  const packed = zstdCompressSync(HEADER + Array.from({ length: 5_000 }, (_, i) => rowOf(`s-${i}`)).join(''))
  const folder = join(dir, 'folder')
  await mkdir(join(folder, 'x.csv'), { recursive: true })
  await writeFile(join(folder, 'good.csv'), HEADER + rowOf('good'))
  await symlink('../folder', join(folder, 'again'))
  await symlink('loop.csv', join(folder, 'loop.csv'))
  execFileSync('mkfifo', [join(folder, 'pipe.csv')])
  for (const [path, words] of [
    [await file('cut.csv.gz', whole.subarray(0, -40)), 'cannot be read: unexpected end of file'],
    [await file('cut.csv.zst', packed.subarray(0, -40)), 'cannot be read: '],
    [await file('none.csv.gz', Buffer.from('\x1f\x8bnothing of it', 'latin1')), 'cannot be read: '],
    [join(folder, 'pipe.csv'), 'is a pipe or a device'],
    ['/dev/zero', 'is a pipe or a device'],
    [join(folder, 'loop.csv'), 'there is no file'],
  ] as const) {
    const { code, err } = await runCommand(['import', path, '--data', data()], 60_000)
    expect([path, code, err]).toEqual([path, 2, expect.stringContaining(words)])
  }
  expect((await importing(folder)).out).toMatch(/^good.csv: 1 row taken/m)
})

test('a line of 64 MiB is refused alone', async () => {
  const long = 'a'.repeat(64 << 20)
  const csv = await importing(await file('long.csv', `${HEADER}${rowOf('web')}${long}\n${rowOf('shop')}`))
  expect([csv.code, csv.out]).toEqual([0, expect.stringContaining('2 rows taken')])
})

const hasScript = (() => {
  try {
    return execFileSync('script', ['--version'], { encoding: 'utf8' }).includes('util-linux')
  } catch {
    return false
  }
})()

/** Runs an import at a pseudo-terminal, and types keys at its question. */
function atTerminal(keys: string, ...args: string[]): Promise<{ code: number | null; shown: string }> {
  const command = [process.execPath, ENTRY, 'import', ...args, '--data', data()]
  const child = spawn('script', ['-qec', command.map((word) => `'${word}'`).join(' '), '/dev/null'], {
    env: environment(),
  })
  let shown = ''
  let isTyped = false
  child.stdout.on('data', (bytes) => {
    shown += bytes
    if (isTyped || !shown.includes('[y/N] ')) return
    isTyped = true
    child.stdin.write(keys)
  })
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, shown })))
}

test.runIf(needs('script of util-linux', hasScript))(
  'a person at a terminal is asked about what was guessed',
  async () => {
    const guessed = await file('a.csv', 'service,Time,cpu,ram,disk\nweb,2026-11-22T10:00:00Z,1,2,3\n')
    const other = await file('b.csv', 'service,Time,cpu,ram,disk\nweb,2026-11-22T10:00:00Z,2,2,3\n')
    const stopped = await atTerminal('\x03', guessed, other)
    expect(stopped.shown).toContain('the import was stopped, and nothing of a.csv written')
    expect(stopped.shown.match(/Import it so/g)).toHaveLength(1)
    expect(stopped.code).toBe(1)
    for (const keys of ['n\r', '\x04'])
      expect(await atTerminal(keys, guessed)).toEqual({
        code: 0,
        shown: expect.stringMatching(/1 row would be taken[\s\S]*a\.csv: nothing was written/),
      })
    expect(await atTerminal('y\r', guessed)).toEqual({
      code: 0,
      shown: expect.stringContaining('a.csv: 1 row taken'),
    })
  },
)

test('told to stop at any moment it ends within seconds, and nothing is taken', async () => {
  const path = join(dir, 'large.csv')
  const connection = await (await DuckDBInstance.create(':memory:')).connect()
  const rows = `SELECT 'web' AS service, 'h' || i % 100 AS host, 1795305600000 + i AS time_stamp, i % 101 AS cpu, 1 AS ram, 2 AS disk FROM range(2000000) t(i)`
  await connection.run(`COPY (${rows}) TO '${path}' (FORMAT csv, HEADER)`)
  connection.closeSync()
  const scratch = join(data(), 'scratch')
  const begun = async () =>
    (await readdir(scratch).catch(() => [])).some((name) => name.startsWith('import-'))
  for (const afterMs of [100, 600]) {
    const stop = new AbortController()
    const ended = runCommand(['import', path, '--data', data()], 0, stop.signal, 'SIGTERM')
    await expect.poll(begun, { interval: 20, timeout: 60_000 }).toBe(true)
    await wait(afterMs)
    stop.abort()
    const stoppedMs = Date.now()
    expect(await ended).toMatchObject({ code: 1, err: expect.stringContaining('the import was stopped') })
    expect(Date.now() - stoppedMs).toBeLessThan(5_000)
    expect(await begun()).toBe(false)
  }
})
