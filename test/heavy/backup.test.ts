import { spawn } from 'node:child_process'
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { bucketServer, hasBucketServer, KEY, SECRET } from './bucket-server.ts'
import { needs } from './needs.ts'
import { ENTRY, environment, type Running, runCommand, startUp } from './up.ts'

/** Backups of a directory that is written to meanwhile, killed at any time, and what is restored of them. */

let dir: string
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'tidemark-backup-'))
})
afterEach(() => rm(dir, { recursive: true, force: true }))

const data = () => join(dir, 'data')
const stored = () => join(dir, 'backups')
const backingUp = (...args: string[]) => runCommand(['backup', stored(), '--data', data(), ...args])
const FAST = ['--agent-enabled', 'false', '--speed-tick', '300ms', '--batch-schedule', '* * * * * *']

/** A numbered sender that goes on until it is stopped: what was acknowledged, and its value in all. */
async function sending(port: number, agent: string) {
  const socket = connect(port, '127.0.0.1')
  const line = (seq: number) =>
    `${JSON.stringify({ service: 'web', host: agent, cpu: seq % 97, ram: 1, disk: 1, seq })}\n`
  let acked = 0
  let sent = 0
  let text = ''
  socket.on('error', () => {})
  socket.on('data', (bytes) => {
    text += bytes
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n')) {
      const { ack, welcome, seq } = JSON.parse(text.slice(0, end)) as {
        ack?: number
        welcome?: number
        seq?: number
      }
      acked = Math.max(acked, ack ?? (welcome ? seq! : 0))
      text = text.slice(end + 1)
    }
  })
  socket.write(`${JSON.stringify({ hello: 1, agent })}\n`)
  const timer = setInterval(() => {
    if (sent - acked > 5_000) return
    let lines = ''
    for (let i = 0; i < 50; i++) lines += line(++sent)
    socket.write(lines)
  }, 3)
  return {
    acked: () => acked,
    async stop() {
      clearInterval(timer)
      while (acked < sent) await wait(10)
      socket.destroy()
      return sent
    },
  }
}

const totalOf = (n: number) =>
  Array.from({ length: n }, (_, i) => (i + 1) % 97).reduce((sum, value) => sum + value, 0)

interface Stats {
  readonly messages: number
  readonly complete: boolean
  readonly cpu: { readonly total: number }
}

async function statsOf(up: Running): Promise<Stats> {
  const range = `from=${Date.now() - 86_400_000}&to=${Date.now() + 86_400_000}`
  return (await (await fetch(`${up.serving}/v1/services/web/stats?${range}`)).json()) as Stats
}

/** The answer once it is whole. */
async function settled(up: Running): Promise<Stats> {
  let stats = await statsOf(up)
  for (let i = 0; i < 200 && stats.complete !== true; i++) {
    await wait(50)
    stats = await statsOf(up)
  }
  return stats
}

test('a backup under load has everything that was acknowledged before, once, and is restored anywhere', async () => {
  const up = await startUp(data(), FAST)
  const sender = await sending(up.collector.port, 'one')
  const kept: number[] = []
  for (let i = 0; i < 3; i++) {
    await wait(1_200)
    kept.push(sender.acked())
    const { code, out, err } = await backingUp()
    expect([code, err, out]).toEqual([
      0,
      expect.anything(),
      expect.stringMatching(/^backup of 20.* files, .* were new\n$/),
    ])
  }
  const sent = await sender.stop()
  expect(await settled(up)).toMatchObject({ messages: sent, complete: true, cpu: { total: totalOf(sent) } })
  await up.end('SIGKILL')
  expect((await backingUp('--verify')).out).toContain('is whole')
  const times = (await backingUp('--list')).out.trim().split('\n').slice(1)
  expect(times).toHaveLength(3)
  for (const [i, time] of times.entries()) {
    const restored = join(dir, `restored-${i}`)
    const { code, out } = await runCommand(['restore', stored(), '--data', restored, '--at', time])
    expect([code, out]).toEqual([0, expect.stringContaining(`holds the backup of ${time}`)])
    const again = await startUp(restored, FAST)
    const { messages, complete, cpu } = await settled(again)
    expect(messages).toBeGreaterThanOrEqual(kept[i]!)
    expect(messages).toBeLessThanOrEqual(sent)
    expect([complete, cpu.total]).toEqual([true, totalOf(messages)])
    // The sender comes back with all it has, as after a crash: what is known counts once, what is not is added.
    const back = await sending(again.collector.port, 'one')
    await wait(300)
    const all = await back.stop()
    const most = Math.max(all, messages)
    expect(await settled(again)).toMatchObject({ messages: most, cpu: { total: totalOf(most) } })
    await fetch(`${again.serving}/v1/runs`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"full":true}',
    })
    await wait(1_500)
    expect(await settled(again)).toMatchObject({ messages: most, cpu: { total: totalOf(most) } })
    expect(await again.end('SIGTERM')).toBe(0)
  }
})

test('a backup that is killed is none, and the next one goes on with what it kept', async () => {
  const up = await startUp(data(), FAST)
  const sender = await sending(up.collector.port, 'one')
  await wait(2_500)
  for (const ms of [150, 250, 300, 350, 400]) {
    const child = spawn(process.execPath, [ENTRY, 'backup', stored(), '--data', data()], { stdio: 'ignore' })
    const ended = new Promise((resolve) => child.once('exit', resolve))
    await wait(ms)
    child.kill('SIGKILL')
    await ended
  }
  expect((await backingUp('--keep', '1')).code).toBe(0)
  expect((await backingUp('--list')).out.trim().split('\n')).toHaveLength(2)
  expect((await backingUp('--verify')).code).toBe(0)
  await sender.stop()
  await up.end('SIGTERM')
})

test('nothing is put in place of what is there, nor of what is damaged or elsewhere', async () => {
  const up = await startUp(data(), FAST)
  const sender = await sending(up.collector.port, 'one')
  await wait(500)
  await sender.stop()
  await backingUp()
  await up.end('SIGTERM')
  const before = await readdir(data())
  const into = (place: string, from = stored()) => runCommand(['restore', from, '--data', place])
  expect(await into(data())).toMatchObject({ code: 1, err: expect.stringContaining('is not empty') })
  expect(await readdir(data())).toEqual(before)
  expect(await into(join(dir, 'new'), join(dir, 'nothing'))).toMatchObject({
    code: 1,
    err: expect.stringContaining('there is none at all'),
  })
  const [manifest] = await readdir(join(stored(), 'backups'))
  const text = await readFile(join(stored(), 'backups', manifest!), 'utf8')
  const { files } = JSON.parse(text) as { files: { path: string; sha256: string }[] }
  const hurt = join(dir, 'hurt')
  await cp(stored(), hurt, { recursive: true })
  const { path, sha256 } = files.find((file) => file.path.endsWith('.parquet'))!
  await writeFile(join(hurt, 'objects', sha256.slice(0, 2), sha256), 'something else')
  expect(await into(join(dir, 'new'), hurt)).toMatchObject({ code: 1, err: expect.stringContaining(path) })
  expect((await readdir(dir)).filter((name) => name === 'new')).toEqual([])
  // A manifest that leads elsewhere is none.
  await writeFile(join(hurt, 'backups', manifest!), text.replace(path, '../../outside.parquet'))
  expect(await into(join(dir, 'new'), hurt)).toMatchObject({
    code: 1,
    err: expect.stringContaining('no manifest'),
  })
  expect((await into(join(dir, 'new'))).code).toBe(0)
})

/** Runs a command, kills it as soon as `isThere`, and waits for its end. */
async function killedWhen(isThere: () => Promise<boolean>, args: readonly string[]): Promise<void> {
  const child = spawn(process.execPath, [ENTRY, ...args], { stdio: 'ignore', env: environment() })
  let isOver = false
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => {
      isOver = true
      resolve()
    })
  })
  while (!isOver && !(await isThere())) await wait(2)
  child.kill('SIGKILL')
  await ended
}

test.runIf(needs('versitygw', hasBucketServer))(
  'a lake in a bucket is backed up to a bucket and restored to one, both killed in the middle',
  async () => {
    const server = await bucketServer(join(dir, 's3'))
    const bucket = [
      '--lake-s3-endpoint',
      server.url,
      '--lake-s3-access-key',
      KEY,
      '--lake-s3-secret-key',
      SECRET,
    ]
    const slow = ['--agent-enabled', 'false', '--speed-tick', '1s', '--batch-schedule', '*/2 * * * * *']
    const lake = (name: string) => ['--lake-url', `s3://tide/${name}`, ...bucket]
    const objects = async (prefix: string) => {
      const all = await readdir(join(dir, 's3/tide', prefix), { recursive: true }).catch(() => [])
      return all.filter((name) => /[0-9a-f]{64}$|\.(json|parquet)$/.test(name)).length
    }
    try {
      const up = await startUp(data(), [...slow, ...lake('lake')])
      const sender = await sending(up.collector.port, 'one')
      while (sender.acked() < 3_000) await wait(20)
      const backup = ['backup', 's3://tide/kept', '--data', data(), ...lake('lake')]
      for (const count of [1, 10])
        await killedWhen(async () => (await objects('kept/objects')) >= count, backup)
      const kept = sender.acked()
      expect(await runCommand(backup)).toMatchObject({ code: 0, out: expect.stringMatching(/^backup of 20/) })
      expect(await runCommand([...backup, '--verify'])).toMatchObject({ code: 0 })
      const sent = await sender.stop()
      await up.end('SIGKILL')
      const restored = join(dir, 'restored')
      const restore = ['restore', 's3://tide/kept', '--data', restored, ...lake('again')]
      for (const count of [1, 10]) await killedWhen(async () => (await objects('again')) >= count, restore)
      await rm(restored, { recursive: true, force: true })
      expect(await runCommand(restore)).toMatchObject({
        code: 0,
        out: expect.stringContaining('holds the backup'),
      })
      const again = await startUp(restored, [...slow, ...lake('again')])
      const { messages, complete, cpu } = await settled(again)
      expect(messages).toBeGreaterThanOrEqual(kept)
      expect(messages).toBeLessThanOrEqual(sent)
      expect([complete, cpu.total]).toEqual([true, totalOf(messages)])
      expect(await again.end('SIGTERM')).toBe(0)
      // A lake that somebody has used since is not written over.
      expect(await runCommand(restore.with(3, join(dir, 'other')))).toMatchObject({
        code: 1,
        err: expect.stringContaining('s3://tide/again is not empty'),
      })
      expect((await readdir(dir)).sort()).toEqual(['data', 'restored', 's3'])
    } finally {
      await server.kill()
    }
  },
)
