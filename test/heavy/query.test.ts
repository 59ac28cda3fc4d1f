import { execFile } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { DuckDBInstance } from '@duckdb/node-api'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ENTRY, type Running, runCommand, startUp } from './up.ts'
import { until } from './watch.ts'

/** SQL over the lake, by the command and over HTTP, and attempts to reach more by it. */

const ROWS = 3_000
let dir: string
let up: Running
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'tidemark-query-'))
  const lines = Array.from({ length: ROWS }, (_, i) => {
    const time = new Date(Date.UTC(2026, 10, 22) + i * 60_000).toISOString()
    return `${i % 3 === 0 ? 'shop' : 'web'},h${i % 7},${time},${i % 10},1,1`
  })
  await writeFile(join(dir, 'old.csv'), `service,host,time_stamp,cpu,ram,disk\n${lines.join('\n')}\n`)
  await runCommand(['import', join(dir, 'old.csv'), '--data', data()])
  const limits = [
    '--query-time-max',
    '2s',
    '--query-memory-max',
    '64MiB',
    '--query-rows-max',
    '2500',
    '--query-answer-max',
    '64KiB',
  ]
  up = await startUp(data(), ['--agent-enabled', 'false', ...limits])
})
afterAll(async () => {
  await up.end('SIGTERM')
  await rm(dir, { recursive: true, force: true })
})

const data = () => join(dir, 'data')
const asking = (sql: string, ...args: string[]) => runCommand(['query', sql, '--data', data(), ...args])
const ask = (body: object, query = '') =>
  fetch(`${up.serving}/v1/query${query}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
const asked = async (body: object) => (await (await ask(body)).json()) as { [field: string]: unknown }

test('the command answers as a table, CSV, JSON and Parquet, and says what it read', async () => {
  const sql = 'SELECT service, count(*) AS n, max(cpu) AS most FROM messages GROUP BY ALL ORDER BY ALL -- all'
  expect(await asking(sql)).toEqual({
    code: 0,
    out: 'service     n  most\nshop     1000     9\nweb      2000     9\n',
    err: expect.stringMatching(
      /^messages: version \d+ of 2026-.*, 3,000 rows in 3 files; it holds (nothing of the log|what was accepted up to 2)/,
    ),
  })
  expect((await asking(sql, '--format', 'csv')).out).toBe('service,n,most\r\nshop,1000,9\r\nweb,2000,9\r\n')
  expect((await asking(sql, '--format', 'json')).out).toContain('{"service":"web","n":2000,"most":9}\n')
  const path = join(dir, 'out.parquet')
  expect((await asking(sql, '--format', 'parquet', '--output', path)).code).toBe(0)
  const connection = await (await DuckDBInstance.create(':memory:')).connect()
  const rows = await connection.runAndReadAll(`SELECT service, n::INTEGER FROM '${path}' ORDER BY ALL`)
  expect(rows.getRowsJS()).toEqual([
    ['shop', 1_000],
    ['web', 2_000],
  ])
  connection.closeSync()
  expect((await readdir(dir)).sort()).toEqual(['data', 'old.csv', 'out.parquet'])
})

test('whoever reads the first line of an answer waits for no more of it', async () => {
  const sql = "SELECT repeat('x', 500) AS x FROM range(100000000)"
  for (const format of ['csv', 'json']) {
    const args = ['query', sql, '--data', data(), '--format', format, '--query-rows-max', '100000000']
    const command = [process.execPath, ENTRY, ...args].map((word) => `"${word}"`).join(' ')
    const begun = performance.now()
    const { stdout, stderr } = await promisify(execFile)('bash', [
      '-c',
      `${command} | head -1; echo "$PIPESTATUS"`,
    ])
    expect(stdout).toMatch(/^(x|\{"x":"x{500}"\})\r?\n0\n$/)
    expect(stderr).toBe('')
    expect(performance.now() - begun).toBeLessThan(10_000)
  }
})

test('views, runs and an older version are tables too', async () => {
  const minutes = await asked({ sql: 'SELECT sum(msg_num)::INTEGER AS n FROM service_minute', rows_max: 5 })
  expect(minutes).toMatchObject({ rows: [[ROWS]], truncated: false, tables: [{ name: 'service_minute' }] })
  expect((await asked({ sql: 'SELECT DISTINCT result FROM runs' })).rows).toContainEqual(['published'])
  expect((await asked({ sql: 'SELECT count(*) FROM messages', as_of: 0 })).rows).toEqual([[0]])
  expect(await asked({ sql: 'FROM messages', as_of: '2001-01-01' })).toMatchObject({ code: 'E_VERSION_GONE' })
  const both = 'SELECT 1 FROM messages, runs'
  expect(await asked({ sql: both, as_of: 1 })).toMatchObject({ code: 'E_QUERY', parameter: 'as_of' })
  expect((await asked({ sql: 'SHOW TABLES' })).rows).toContainEqual(['host_minute'])
})

test('what is not sealed yet is said to be missing', async () => {
  const before = (await asked({ sql: 'SELECT count(*) FROM messages' })) as {
    tables: { sealed_to: unknown }[]
  }
  const sealedBefore = before.tables[0]!.sealed_to as string | null
  const { connect } = await import('node:net')
  connect(up.collector.port).end('{"service":"new","cpu":1,"ram":1,"disk":1}\n')
  await runCommand(['batch', '--once', '--data', data()])
  let sealed: string | null = null
  await until('the new message is sealed', async () => {
    const { rows, tables } = (await asked({
      sql: "SELECT count(*) FROM messages WHERE service = 'new'",
    })) as never as {
      rows: number[][]
      tables: { sealed_to: string | null }[]
    }
    sealed = tables[0]!.sealed_to
    return rows[0]![0] === 1
  })
  expect(Date.parse(sealed!)).toBeGreaterThan(Date.parse(sealedBefore ?? '2000-01-01'))
})

test('nothing else can be reached or done by it, and nothing is changed', async () => {
  const lake = join(data(), 'lake', 'messages')
  const [date] = (await readdir(lake)).filter((name) => name.startsWith('date='))
  const [file] = await readdir(join(lake, date!))
  const path = join(lake, date!, file!)
  const content = await readFile(path)
  const escapes = [
    `COPY messages TO '${dir}/x.csv'`,
    `COPY (SELECT 1) TO '${path}'`,
    `EXPLAIN ANALYZE COPY (SELECT count(*) FROM messages) TO '${path}'`,
    `SELECT 1) TO '${dir}/x.csv'; --`,
    `SELECT 1; COPY (SELECT 1) TO '${dir}/x.csv'`,
    `ATTACH '${dir}/x.db'`,
    `EXPORT DATABASE '${dir}/x'`,
    "FROM '/etc/passwd'",
    "SELECT * FROM read_csv('/etc/passwd')",
    "SELECT * FROM read_text('/etc/hostname')",
    "SELECT * FROM read_blob('/proc/self/environ')",
    "SELECT * FROM glob('/*')",
    "SELECT * FROM sniff_csv('/etc/passwd')",
    `SELECT * FROM read_parquet('${dir}/*.parquet')`,
    "SELECT * FROM 'https://example.com/x.parquet'",
    "SELECT * FROM read_parquet('s3://bucket/x.parquet')",
    'INSTALL httpfs',
    "LOAD '/tmp/x.duckdb_extension'",
    "SET memory_limit = '9GB'",
    'RESET lock_configuration',
    "PRAGMA enable_profiling = 'json'",
    'CALL pragma_version()',
    'CREATE TABLE x AS SELECT 1',
    'DROP VIEW messages',
    'DELETE FROM messages',
    'INSERT INTO messages VALUES (1)',
    'PREPARE p AS SELECT 1',
    'SELECT $1',
    "SELECT getenv('HOME')",
    'BEGIN',
    'VACUUM',
    'CHECKPOINT',
    '',
    '-- nothing',
  ]
  for (const sql of escapes) {
    for (const format of ['json', 'csv', 'parquet']) {
      const response = await ask({ sql: sql || ' ' }, `?format=${format}`)
      const problem = (await response.json()) as object
      expect([sql, response.status, problem]).toEqual([
        sql,
        400,
        expect.objectContaining({ code: 'E_QUERY' }),
      ])
    }
  }
  expect((await asking('COPY messages TO STDOUT')).code).toBe(1)
  expect(await readFile(path)).toEqual(content)
  expect((await readdir(dir)).filter((name) => name.startsWith('x'))).toEqual([])
  // A table that only a string names has no rows to show, and says so.
  const hidden = await asked({ sql: "SELECT * FROM query('SELECT * FROM mes' || 'sages')" })
  expect(hidden).toMatchObject({ code: 'E_QUERY', detail: expect.stringContaining('not named') })
})

test('time, memory, rows and queries at once are limited, by name', async () => {
  const endless = 'SELECT count(*) FROM range(1000000) a, range(1000000000) b WHERE a.range + b.range = -1'
  const limited = { code: 'E_QUERY_LIMIT', status: 422 }
  expect(await asked({ sql: endless })).toMatchObject({ ...limited, detail: expect.stringContaining('2 s') })
  const spilling = endless.replace('1000000', '1000000000')
  expect(await asked({ sql: spilling })).toMatchObject({
    ...limited,
    detail: 'the query needs more than 64 MiB of memory and 256 MiB of disk beside',
  })
  const large = "SELECT list(repeat('x', 1000) || range) FROM range(10000000)"
  expect(await asked({ sql: large })).toMatchObject(limited)
  const cut = (await asked({ sql: 'SELECT cpu FROM messages' })) as { rows: unknown[]; truncated: boolean }
  expect([cut.rows.length, cut.truncated]).toEqual([2_500, true])
  const parquet = await ask({ sql: 'SELECT cpu FROM messages', rows_max: 10 }, '?format=parquet')
  expect([
    parquet.status,
    parquet.headers.get('tidemark-truncated'),
    parquet.status === 200 || (await parquet.json()),
  ]).toEqual([200, 'true', true])
  const many = await Promise.all(Array.from({ length: 4 }, () => asked({ sql: endless })))
  expect(many.filter(({ detail }) => String(detail).includes('at work already'))).toHaveLength(2)
  // Whoever goes away ends the query, and makes room for others.
  const leaving = new AbortController()
  const left = [1, 2].map(() =>
    fetch(`${up.serving}/v1/query`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ sql: endless }),
      signal: leaving.signal,
    }).catch(() => null),
  )
  await until('both are at work', async () =>
    String((await asked({ sql: endless })).detail).includes('at work already'),
  )
  leaving.abort()
  await Promise.all(left)
  await until('there is room again', async () => (await asked({ sql: 'SELECT 1' })).rows !== undefined)
  await until('nothing is left', async () => (await readdir(join(data(), 'scratch', 'queries'))).length === 0)
})

test('an answer as a file has no more bytes than it may', async () => {
  const hex = (n: number) => `md5((range + ${n})::text)`
  const long = `SELECT ${hex(0)}, ${hex(1)}, ${hex(2)} FROM range(2500)`
  for (const format of ['csv', 'parquet']) {
    const answer = await ask({ sql: long }, `?format=${format}`)
    expect(await answer.json()).toMatchObject({
      code: 'E_QUERY_LIMIT',
      detail: 'the answer has more than 0.0625 MiB',
    })
  }
})

test('two versions of a view are compared by gauge and key', async () => {
  const lines = [
    // In a minute that is there: 7 and one message more; in one that is not.
    'web,h1,2026-11-22T00:01:30.000Z,7,1,1',
    'shop,h9,2026-11-20T00:00:00.000Z,3,1,1',
  ]
  const before = (await asked({ sql: 'SELECT 1 FROM service_minute' })) as { tables: { version: number }[] }
  const a = before.tables[0]!.version
  await writeFile(join(dir, 'late.csv'), `service,host,time_stamp,cpu,ram,disk\n${lines.join('\n')}\n`)
  expect((await runCommand(['import', join(dir, 'late.csv'), '--data', data()])).code).toBe(0)
  const after = (await asked({ sql: 'SELECT 1 FROM service_minute' })) as { tables: { version: number }[] }
  const b = after.tables[0]!.version
  const diff = await (await fetch(`${up.serving}/v1/runs/diff?a=${a}&b=${b}`)).json()
  expect(diff).toMatchObject({
    view: 'service_minute',
    cells: { added: 1, removed: 0, changed: 1 },
    keys: [
      { key: ['shop'], added: 1, changed: 0, messages_a: 0, messages_b: 1 },
      { key: ['web'], added: 0, changed: 1, messages_a: 1, messages_b: 2 },
    ],
  })
  const {
    gauges,
    a: first,
    b: second,
  } = diff as {
    gauges: { gauge: string; changed: number; most: object }[]
    a: { messages: number }
    b: { messages: number }
  }
  expect(second.messages - first.messages).toBe(2)
  expect(gauges[0]).toMatchObject({
    gauge: 'cpu',
    changed: 2,
    most: { key: ['web'], time: '2026-11-22T00:01:00.000Z', a: 1, b: 8 },
  })
  const text = await runCommand(['runs', 'diff', String(a), String(b), '--data', data()])
  expect(text.out).toContain('1 cell changed, 1 came, 0 went.')
  expect(text.out).toMatch(/cpu +2 +1 +11 +web at 2026-11-22T00:01:00.000Z: 1 became 8/)
  const same = await runCommand(['runs', 'diff', String(b), String(b), '--data', data()])
  expect(same.out).toContain('Nothing changed.')
  const gone = await fetch(`${up.serving}/v1/runs/diff?a=${a}&b=99`)
  expect(await gone.json()).toMatchObject({ status: 410, parameter: 'b' })
  expect((await fetch(`${up.serving}/v1/runs/diff?a=${a}&b=${b}&view=none`)).status).toBe(404)
  expect((await fetch(`${up.serving}/v1/runs/diff?a=x&b=${b}`)).status).toBe(400)
})

test('versions and files of a table are listed', async () => {
  const lake = (...args: string[]) => runCommand(['lake', ...args, '--data', data()])
  const log = await lake('log', '--format', 'json')
  const versions = log.out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  expect(versions.map(({ version }) => version)).toEqual(versions.map((_, i) => versions.length - 1 - i))
  expect(versions.find(({ operation }) => operation === 'IMPORT')).toMatchObject({
    files_added: expect.any(Number),
    rows_added: expect.any(Number),
    txns: expect.stringContaining('import/'),
  })
  const files = await lake('files', 'service_minute')
  expect(files.out).toMatch(/^date +rows +bytes +first_time +last_time +path\n2026-11-/)
  expect(files.err).toMatch(/^service_minute, version \d+: \d+ files, \d+ rows, \d+ bytes\n$/)
  expect(await lake('files', 'nothing')).toMatchObject({
    code: 1,
    err: expect.stringContaining('there are '),
  })
  expect((await lake('log', 'a', 'b')).code).toBe(2)
})
