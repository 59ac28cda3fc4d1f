import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { decodeParquet } from '../../lake/parquet/codec.ts'
import { type Running, runCommand, startUp } from './up.ts'
import { until } from './watch.ts'

/** Erasures by real processes: every byte that they leave is looked at, and they are killed while they erase. */

const NAME = 'zebra-7'
const UP = ['--agent-enabled', 'false', '--speed-tick', '1s']

let data: string
beforeEach(async () => {
  data = join(await mkdtemp(join(tmpdir(), 'tidemark-erase-')), 'data')
})
afterEach(() => rm(join(data, '..'), { recursive: true, force: true }))

const tidemark = (...args: string[]) => runCommand([...args, '--data', data])

/** Sends lines, and waits until all are settled. */
function send({ collector }: Running, lines: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = net.connect(collector.port, '127.0.0.1')
    let answer = ''
    socket.on('data', (bytes) => {
      answer += bytes
      if (answer.includes(`{"ack":${lines.length}}`)) socket.end()
    })
    socket.once('error', reject)
    socket.once('close', () => resolve())
    socket.write(lines.map((line) => `${line}\n`).join(''))
  })
}

const line = (host: string, cpu: number | string) =>
  JSON.stringify({ service: 'web', host, time_stamp: '2026-11-22T10:00:00Z', cpu, ram: 2, disk: 3 })

const LINES = [line(NAME, 90), line('ok-1', 5), line(NAME, 'x'), line('ok-2', 7), line(NAME, 80)]

async function stats({ serving }: Running) {
  const answer = await fetch(`${serving}/v1/services/web/stats?from=2026-11-22&to=2026-11-23`)
  const { messages, cpu } = (await answer.json()) as { messages: number; cpu: { max_host: string } }
  return { messages, max: cpu?.max_host }
}

/** Files below the data directory that hold the name, as they are or in the columns of Parquet. */
async function whereIs(name: string): Promise<string[]> {
  const found: string[] = []
  for (const entry of await readdir(data, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const path = join(entry.parentPath, entry.name)
    const bytes = await readFile(path).catch(() => Buffer.alloc(0))
    const columns = path.endsWith('.parquet') ? await decodeParquet(bytes).catch(() => ({})) : {}
    const text = JSON.stringify(columns, (_, value) => (typeof value === 'bigint' ? Number(value) : value))
    if (bytes.includes(name) || text.includes(name)) found.push(path.slice(data.length + 1))
  }
  return found
}

test('while `up` runs, and then by the command alone, only the receipt is left of a name', async () => {
  const up = await startUp(data, UP)
  await send(up, LINES)
  expect((await tidemark('batch', '--once')).code).toBe(0)
  await send(up, LINES)
  await until('the answer has all', async () => (await stats(up)).messages === 8)
  expect((await whereIs(NAME)).length).toBeGreaterThan(3)
  expect(await tidemark('erase', '--host', NAME, '--dry-run')).toMatchObject({
    code: 0,
    out: expect.stringMatching(/^4 rows of host in \d files? would be erased/),
  })
  expect(await tidemark('erase', '--host', NAME)).toMatchObject({
    code: 2,
    err: expect.stringMatching(/--yes/),
  })
  const erased = await tidemark('erase', '--host', NAME, '--yes')
  expect(erased).toMatchObject({
    code: 0,
    out: expect.stringMatching(/4 rows erased; it goes on: old versions/),
  })
  await until('answers without it', async () => (await stats(up)).messages === 4)
  expect((await stats(up)).max).toBe('ok-2')
  expect((await tidemark('erase', '--pending', '--vacuum')).out).toMatch(/nothing is left/)
  await until('no byte is left', async () =>
    (await whereIs(NAME)).every((path) => path.startsWith('lake/_audit/')),
  )

  await send(up, [line(NAME, 1)])
  await until('new ones count', async () => (await stats(up)).messages === 5)
  expect(await up.end('SIGTERM')).toBe(0)
  expect(
    await tidemark('erase', '--where', `host=${NAME}`, '--service', 'web', '--yes', '--vacuum'),
  ).toMatchObject({
    code: 0,
    out: expect.stringMatching(/1 row erased; nothing is left/),
  })
  expect((await whereIs(NAME)).every((path) => path.startsWith('lake/_audit/'))).toBe(true)
  const audit = (await tidemark('lake', 'audit', '--format', 'json')).out.trim().split('\n')
  expect(audit.map((text) => JSON.parse(text)).filter(({ what }) => what === 'erase')).toMatchObject([
    { rows: 1, about: { host: NAME, service: 'web' }, result: 'done' },
    { rows: 4, about: { host: NAME, refused_lines: 2 }, result: 'done' },
  ])
})

test('killed again and again while it erases, it is over in the end, and nobody else is touched', async () => {
  let up = await startUp(data, UP)
  await send(up, LINES)
  const ask = await fetch(`${up.serving}/v1/erasures`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ where: { host: NAME } }),
  })
  const { erasure } = (await ask.json()) as { erasure: string }
  for (const ms of [0, 30, 90, 200]) {
    await wait(ms)
    await up.end('SIGKILL')
    up = await startUp(data, UP)
  }
  await until('it is erased', async () => {
    const answer = await fetch(`${up.serving}/v1/erasures/${erasure}`)
    return ((await answer.json()) as { erased: boolean }).erased
  })
  await until('answers without it', async () => (await stats(up)).messages === 2)
  expect((await tidemark('batch', '--once', '--full')).code).toBe(0)
  await until('the same', async () => (await stats(up)).max === 'ok-2')
  expect((await stats(up)).messages).toBe(2)
  expect(await up.end('SIGTERM')).toBe(0)
})
