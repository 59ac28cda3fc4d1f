import { once } from 'node:events'
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { REJECTS_BYTES_MAX } from '../../collector/intake/limits.ts'
import { LINE_BYTES_MAX } from '../../collector/ndjson/line-limits.ts'
import { type Running, startUp } from './up.ts'
import { ackMs, counted, peakRss, rssBytes, until } from './watch.ts'

/** What anyone else may wait for an acknowledgement meanwhile, on a machine that is busy with other things as well. */
const SERVED_MS_MAX = 5_000
const MIB = 1 << 20
const MESSAGE = '{"service":"web","cpu":1,"ram":2,"disk":3}\n'

/** A running collector, and the connections that trouble it. */
class Trouble {
  readonly up: Running
  readonly sockets: net.Socket[] = []

  constructor(up: Running) {
    this.up = up
  }

  async connect(): Promise<net.Socket> {
    const socket = net.connect(this.up.collector.port, '127.0.0.1')
    socket.on('error', () => {})
    this.sockets.push(socket)
    await once(socket, 'connect')
    return socket
  }

  async collector(): Promise<{ refused: number; connections: number; unkept_rejects: number }> {
    const status = (await (await fetch(`${this.up.serving}/v1/status`)).json()) as { collector: never }
    return status.collector
  }
}

async function withUp(flags: readonly string[], body: (trouble: Trouble, data: string) => Promise<void>) {
  const data = await mkdtemp(join(tmpdir(), 'tidemark-hostile-'))
  const trouble = new Trouble(await startUp(data, ['--agent-enabled', 'false', ...flags]))
  try {
    await body(trouble, data)
    expect(trouble.up.child.exitCode).toBe(null)
  } finally {
    for (const socket of trouble.sockets) socket.destroy()
    await trouble.up.end('SIGKILL')
    await rm(data, { recursive: true, force: true })
  }
}

/** Writes `chunk` again and again, as fast as it is taken, until `stopped`. */
function pour(socket: net.Socket, chunk: Buffer, stopped: () => boolean): void {
  const more = () => {
    while (!socket.destroyed && !stopped() && socket.write(chunk));
  }
  socket.on('drain', more)
  more()
}

/** What a socket is told, line by line. */
function answersOf(socket: net.Socket): string[] {
  const lines: string[] = []
  let text = ''
  socket.on('data', (bytes) => {
    const parts = (text + bytes).split('\n')
    text = parts.pop()!
    lines.push(...parts)
  })
  return lines
}

test('a flood of refused lines, on many connections of which half read no answer, keeps nobody from being served', async () => {
  await withUp([], async (trouble, data) => {
    const { port } = trouble.up.collector
    const rss = peakRss(trouble.up.child.pid!)
    // The shortest line, the shortest object, and garbage of some length.
    const chunks = ['\n', '{}\n', `${'garbage '.repeat(200)}\n`].map((line) => {
      return Buffer.from(line.repeat(Math.ceil(65_536 / line.length)))
    })
    let over = false
    for (let i = 0; i < 30; i++) {
      const socket = await trouble.connect()
      if (i % 2 === 0) socket.resume()
      else socket.pause()
      pour(socket, chunks[i % 3]!, () => over)
    }
    const waits: number[] = []
    const endMs = Date.now() + 12_000
    while (Date.now() < endMs) waits.push(await ackMs(port, 'other'))
    over = true
    for (const socket of trouble.sockets) socket.destroy()
    const peak = rss()
    const { refused, unkept_rejects } = await trouble.collector()
    console.log(
      `flood: ${refused} refused, ${unkept_rejects} only counted; others waited ${Math.round(Math.max(...waits))} ms at most; peak ${Math.round(peak / MIB)} MiB`,
    )
    expect(Math.max(...waits)).toBeLessThan(SERVED_MS_MAX)
    expect(peak).toBeLessThan(700 * MIB)
    expect(refused).toBeGreaterThan(1_000)
    expect(await folderBytes(join(data, 'rejects'))).toBeLessThanOrEqual(REJECTS_BYTES_MAX)
    await until('all of the others count', async () => (await counted(trouble.up, 'other')) === waits.length)
  })
}, 60_000)

async function folderBytes(dir: string): Promise<number> {
  const sizes = await Promise.all(
    (await readdir(dir)).map(async (name) => (await stat(join(dir, name))).size),
  )
  return sizes.reduce((sum, size) => sum + size, 0)
}

test('senders that never read their acknowledgements are served as the others are, in bounded memory', async () => {
  await withUp([], async (trouble) => {
    const { port } = trouble.up.collector
    const rss = peakRss(trouble.up.child.pid!)
    const chunk = Buffer.from(MESSAGE.repeat(500))
    let over = false
    for (let i = 0; i < 5; i++) {
      const socket = await trouble.connect()
      socket.pause()
      pour(socket, chunk, () => over)
    }
    const waits: number[] = []
    const endMs = Date.now() + 6_000
    while (Date.now() < endMs) waits.push(await ackMs(port, 'other'))
    over = true
    const peak = rss()
    console.log(
      `unread: others waited ${Math.round(Math.max(...waits))} ms at most; peak ${Math.round(peak / MIB)} MiB`,
    )
    expect(Math.max(...waits)).toBeLessThan(SERVED_MS_MAX)
    expect(peak).toBeLessThan(1_500 * MIB)
  })
}, 60_000)

test('connections that send a byte a second stay and harm nobody; silent ones are closed, and those above the maximum', async () => {
  await withUp(['--collector-idle', '4s', '--collector-connections-max', '400'], async (trouble) => {
    const slow = await Promise.all(Array.from({ length: 300 }, () => trouble.connect()))
    const silent = await Promise.all(Array.from({ length: 99 }, () => trouble.connect()))
    const told = [...slow.slice(0, 1), ...silent].map(answersOf)
    await until('all are connected', async () => (await trouble.collector()).connections === 399)
    const trickle = setInterval(() => {
      for (const socket of slow) socket.write(' ')
    }, 1_000)
    try {
      expect(await ackMs(trouble.up.collector.port, 'other')).toBeLessThan(SERVED_MS_MAX)
      const last = [await trouble.connect(), await trouble.connect()].map(answersOf)
      await until('one is too many', () => last.flat().some((line) => line.includes('E_CONNECTIONS')))
      await until(
        'the silent ones are closed',
        async () => (await trouble.collector()).connections === 300,
        20_000,
      )
      expect(told.slice(1).every(([line]) => line!.includes('E_IDLE'))).toBe(true)
      expect(told[0]).toEqual([])
      expect(await ackMs(trouble.up.collector.port, 'other')).toBeLessThan(SERVED_MS_MAX)
    } finally {
      clearInterval(trickle)
    }
  })
}, 60_000)

test('a line without an end takes no memory; at its end it is refused once, and the next message counts', async () => {
  await withUp([], async (trouble) => {
    const { port } = trouble.up.collector
    const socket = await trouble.connect()
    const answers = answersOf(socket)
    const before = await rssBytes(trouble.up.child.pid!)
    const rss = peakRss(trouble.up.child.pid!)
    const chunk = Buffer.alloc(MIB, 'x')
    const startedMs = performance.now()
    let sentBytes = 0
    // 10 GiB, or what goes through in ten seconds.
    while (sentBytes < 10 * 1_024 * MIB && performance.now() - startedMs < 10_000) {
      if (!socket.write(chunk)) await once(socket, 'drain')
      sentBytes += chunk.length
    }
    expect(await ackMs(port, 'other')).toBeLessThan(SERVED_MS_MAX)
    socket.write(`\n${MESSAGE}`)
    await until('it is answered', () => answers.length >= 2)
    const grown = rss() - before
    console.log(
      `endless line: ${(sentBytes / 1_024 / MIB).toFixed(1)} GiB in ${Math.round(performance.now() - startedMs)} ms; grown by ${Math.round(grown / MIB)} MiB`,
    )
    expect(sentBytes).toBeGreaterThan(1_000 * LINE_BYTES_MAX)
    expect(answers.filter((line) => line.includes('E_LINE_TOO_LONG'))).toHaveLength(1)
    expect(answers.at(-1)).toBe('{"ack":2}')
    expect(grown).toBeLessThan(300 * MIB)
    await until('it counts', async () => (await counted(trouble.up, 'web')) === 1)
  })
}, 60_000)

test('two thousand idle connections cost little, and others are served', async () => {
  await withUp([], async (trouble) => {
    const before = await rssBytes(trouble.up.child.pid!)
    for (let i = 0; i < 2_000; i += 100)
      await Promise.all(Array.from({ length: 100 }, () => trouble.connect()))
    await until('all are connected', async () => (await trouble.collector()).connections === 2_000)
    const waits: number[] = []
    for (let i = 0; i < 5; i++) waits.push(await ackMs(trouble.up.collector.port, 'other'))
    const after = await rssBytes(trouble.up.child.pid!)
    console.log(
      `idle: 2,000 connections, ${Math.round((after - before) / 2_000 / 1_024)} KiB each; others waited ${Math.round(Math.max(...waits))} ms at most`,
    )
    expect(Math.max(...waits)).toBeLessThan(SERVED_MS_MAX)
    expect(after - before).toBeLessThan(200 * MIB)
  })
}, 60_000)
