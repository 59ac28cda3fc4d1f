import { readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { canMount, MIB, smallDisk } from './small-disk.ts'
import { type Running, runCommand, startUp } from './up.ts'
import { until } from './watch.ts'

/** The processes of queries: what they take, and that nothing is left of them. */

const HUGE = "SELECT length(repeat('x', 1000000000))"
const ENDLESS = 'SELECT count(*) FROM range(1000000) a, range(1000000000) b WHERE a.range + b.range = -1'
/** Goes to the disk for seconds. */
const SPILLING = 'SELECT md5(range::VARCHAR) AS m FROM range(30000000) ORDER BY m'

const status = (pid: number, what: string) =>
  Number(new RegExp(`^${what}:\\s+(\\d+)`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1])
/** The processes of queries that `pid` began, dead ones that nobody asked after too. */
function childrenOf(pid: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((one) => {
      try {
        return status(one, 'PPid') === pid
      } catch {
        return false
      }
    })
}
const isThere = (pid: number) => {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8') !== ''
  } catch {
    return false
  }
}
const asking = (up: Running) => (sql: string, format?: string, signal?: AbortSignal) =>
  fetch(`${up.serving}/v1/query${format === undefined ? '' : `?format=${format}`}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ sql }),
    signal: signal ?? null,
  })

async function started(args: readonly string[] = [], data?: string) {
  const dir = await mkdtemp(join(tmpdir(), 'tidemark-processes-'))
  const up = await startUp(
    data ?? join(dir, 'data'),
    ['--agent-enabled', 'false', '--query-memory-max', '64MiB', ...args],
    { env: { SECRET_OF_A_TEST: 'x' } },
  )
  const pid = up.child.pid!
  return {
    up,
    pid,
    ask: asking(up),
    scratch: () => readdir(join(data ?? join(dir, 'data'), 'scratch', 'queries')).catch(() => []),
    async [Symbol.asyncDispose]() {
      if (up.child.exitCode === null && up.child.signalCode === null) await up.end('SIGKILL')
      await rm(dir, { recursive: true, force: true })
    },
  }
}

test('the memory of the server stays as it is, whatever is asked, and it answers meanwhile', async () => {
  await using at = await started(['--query-time-max', '5s'])
  expect((await at.ask('SELECT 1')).status).toBe(200)
  const before = status(at.pid, 'VmRSS')
  const asked = Array.from({ length: 8 }, (_, i) => at.ask(i % 2 === 0 ? HUGE : ENDLESS))
  const begun = performance.now()
  expect((await fetch(`${at.up.serving}/healthz`)).status).toBe(200)
  expect(performance.now() - begun).toBeLessThan(1_000)
  const problems = await Promise.all(
    (await Promise.all(asked)).map(
      (response) => response.json() as Promise<{ code: string; detail: string }>,
    ),
  )
  expect(problems.map(({ code }) => code)).toEqual(problems.map(() => 'E_QUERY_LIMIT'))
  expect(problems.filter(({ detail }) => detail.includes('at work already')).length).toBeGreaterThan(3)
  expect(status(at.pid, 'VmHWM') - before).toBeLessThan(64 * 1_024)
  // One waits for the next question.
  await until('one is left', async () => childrenOf(at.pid).length === 1)
  expect(await at.scratch()).toEqual([])
}, 60_000)

test('a process of a query knows no secret, is the first to go, and ends with a client that goes away', async () => {
  await using at = await started()
  expect((await at.ask('SELECT 1')).status).toBe(200)
  const leaving = new AbortController()
  const left = at.ask(ENDLESS, 'json', leaving.signal).catch(() => null)
  await until('both are there', async () => childrenOf(at.pid).length === 2)
  for (const pid of childrenOf(at.pid)) {
    await until('it has begun', async () => readFileSync(`/proc/${pid}/oom_score_adj`, 'utf8') === '1000\n')
    const names = readFileSync(`/proc/${pid}/environ`, 'utf8')
      .split('\0')
      .map((pair) => pair.split('=')[0]!)
    expect(names.filter((name) => name !== '' && !name.startsWith('NODE_CHANNEL_'))).toEqual([])
  }
  leaving.abort()
  await left
  await until('one is left', async () => childrenOf(at.pid).length === 1)
  // One that reads half of an answer too.
  const half = new AbortController()
  const response = await at.ask("SELECT repeat('x', 900) FROM range(100000)", 'json', half.signal)
  await response.body!.getReader().read()
  half.abort()
  await until('nothing is left', async () => (await at.scratch()).length === 0)
  await until('one is left again', async () => childrenOf(at.pid).length === 1)
}, 60_000)

for (const signal of ['SIGKILL', 'SIGTERM'] as const)
  test(`nothing is left of queries at work when the server gets ${signal}`, async () => {
    await using at = await started()
    const asked = [at.ask(SPILLING), at.ask(SPILLING, 'parquet')].map((one) => one.catch(() => null))
    await until('both write', async () => (await at.scratch()).length >= 2)
    const pids = childrenOf(at.pid)
    expect(pids.length).toBeGreaterThanOrEqual(2)
    const begun = performance.now()
    expect(await at.up.end(signal)).toBe(signal === 'SIGTERM' ? 0 : null)
    expect(performance.now() - begun).toBeLessThan(5_000)
    await Promise.all(asked)
    await until('they have ended', async () => !pids.some(isThere))
    expect(await at.scratch()).toEqual([])
  }, 60_000)

test('nothing is left of a command that is killed at its query', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'tidemark-processes-'))
  const leftIn = async () => (await readdir(tmpdir())).filter((name) => name.startsWith('tidemark-query-'))
  try {
    const data = join(dir, 'data')
    const csv = join(dir, 'old.csv')
    await writeFile(csv, 'service,host,time_stamp,cpu,ram,disk\nweb,h,2026-11-22T00:00:00Z,1,1,1\n')
    await runCommand(['import', csv, '--data', data])
    const before = await leftIn()
    for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
      const killing = new AbortController()
      const args = ['query', SPILLING, '--data', data, '--format', 'parquet', '--query-memory-max', '64MiB']
      const asked = runCommand([...args, '--output', join(dir, 'out.parquet')], 0, killing.signal, signal)
      await until('it is at work', async () => (await leftIn()).length > before.length)
      await new Promise((resolve) => setTimeout(resolve, 1_500))
      killing.abort()
      const { code, err } = await asked
      if (signal === 'SIGTERM') expect([code, err]).toEqual([1, expect.stringContaining('E_CANCELLED')])
      await until('nothing is left', async () => (await leftIn()).length === before.length)
      expect((await readdir(dir)).sort()).toEqual(['data', 'old.csv'])
    }
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
}, 60_000)

test.runIf(canMount)(
  'a query that finds no room on the disk says so, and leaves the room that there was',
  async () => {
    await using disk = await smallDisk(60 * MIB, 40 * MIB)
    await using at = await started([], join(disk.dir, 'data'))
    expect((await at.ask('SELECT 1')).status).toBe(200)
    const before = await disk.free()
    const full = { code: 'E_DISK_FULL', status: 503 }
    for (const format of ['json', 'csv'])
      expect(await (await at.ask(SPILLING, format)).json(), format).toMatchObject(full)
    const columns = Array.from({ length: 60 }, (_, i) => `md5((range + ${i})::VARCHAR) AS m${i}`)
    const incompressible = `SELECT ${columns.join(', ')} FROM range(100000)`
    expect(await (await at.ask(incompressible, 'parquet')).json()).toMatchObject(full)
    // What is read in pieces needs no memory, and a file of it more than there is.
    const many = "SELECT repeat('x', 900) || range AS x FROM range(60000)"
    expect(await (await at.ask(many, 'csv')).json()).toMatchObject(full)
    expect((await (await at.ask(many)).text()).length).toBeGreaterThan(50 * MIB)
    await until('all is free again', async () => (await disk.free()) > before - MIB)
    expect(await at.scratch()).toEqual([])
  },
  60_000,
)
