import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { arch, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { LoadSender } from './load.ts'
import { needs } from './needs.ts'
import { type Running, startUp } from './up.ts'
import { ackMs, until } from './watch.ts'

/** Where Debian's package faketime has it. */
const LIBRARY = `/usr/lib/${arch() === 'arm64' ? 'aarch64' : 'x86_64'}-linux-gnu/faketime/libfaketimeMT.so.1`
const DAY_MS = 86_400_000
const MESSAGES = 2_000

const hasFakeTime = needs('libfaketime', existsSync(LIBRARY))

/** `tidemark up` on a clock that a test turns; monotonic time goes on as it does. */
async function startTurned(data: string, clock: string, args: readonly string[]) {
  const env = {
    LD_PRELOAD: LIBRARY,
    FAKETIME_TIMESTAMP_FILE: clock,
    FAKETIME_CACHE_DURATION: '1',
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
  }
  const up = await startUp(data, args, { env })
  const aheadMs = async () => {
    const answer = await fetch(`${up.serving}/healthz`)
    return Date.parse(answer.headers.get('date')!) - Date.now()
  }
  return {
    ...up,
    async turn(days: number) {
      await writeFile(clock, `${days < 0 ? '' : '+'}${days}d`)
      await until('the clock is turned', async () => Math.abs((await aheadMs()) - days * DAY_MS) < DAY_MS / 2)
    },
  }
}

/** The last lines that a process said, for a test that fails. */
function showEnd(up: Running): void {
  console.log(up.output().split('\n').slice(-20).join('\n'))
}

async function cleanUp(up: Running, data: string): Promise<void> {
  await up.end('SIGKILL')
  await rm(data, { recursive: true, force: true })
}

test.runIf(hasFakeTime)(
  'a clock that is set a day back while agents are connected loses none of their samples',
  async () => {
    const data = await mkdtemp(join(tmpdir(), 'tidemark-clock-'))
    const clock = join(data, 'clock')
    await writeFile(clock, '+0')
    const up = await startTurned(join(data, 'd'), clock, ['--agent-enabled', 'false'])
    const startMs = Date.now()
    /** Now, of a right clock. */
    const send = (socket: Socket, seq: number) =>
      socket.write(
        `${JSON.stringify({ service: 'web', cpu: 1, ram: 2, disk: 3, seq, time_stamp: Date.now() })}\n`,
      )
    const sender = async (hello: object) => {
      const socket = connect(up.collector.port, '127.0.0.1')
      let text = ''
      socket.on('data', (bytes) => {
        text += bytes
      })
      socket.write(`${JSON.stringify({ hello: 1, ...hello })}\n`)
      await until('an answer', () => text.includes('\n'))
      return { socket, text: () => text }
    }
    const hellos = () => [{ agent: 'tells', time: Date.now() }, { agent: 'silent' }]
    try {
      const before = await Promise.all(hellos().map(sender))
      for (const { socket } of before) send(socket, 1)
      await until('the first is durable', () => before.every(({ text }) => text().includes('"ack":1')))
      await up.turn(-1)
      for (const { socket } of before) send(socket, 2)
      await until('they are sent away', () => before.every(({ text }) => text().includes('E_CLOCK')))
      expect(before.map(({ text }) => text().includes('"ack":2'))).toEqual([false, false])
      expect(await (await fetch(`${up.serving}/readyz`)).text()).toMatch(
        /collector: the clock of this machine/,
      )
      await up.turn(0)
      const after = await Promise.all(hellos().map(sender))
      for (const { socket } of after) send(socket, 2)
      await until('the second is durable', () => after.every(({ text }) => text().includes('"ack":2')))
      const path = `/v1/services/web/stats?from=${startMs - DAY_MS}&to=${startMs + DAY_MS}`
      await until('all are counted', async () => {
        const { messages } = (await (await fetch(up.serving + path)).json()) as { messages: number }
        return messages === 4
      })
      await until('it is ready', async () => (await fetch(`${up.serving}/readyz`)).status === 200)
      for (const { socket } of after) socket.destroy()
      expect(await up.end('SIGTERM')).toBe(0)
    } catch (error) {
      showEnd(up)
      throw error
    } finally {
      await cleanUp(up, data)
    }
  },
  60_000,
)

test.runIf(hasFakeTime)(
  'a clock that is months ahead for a moment, again and again, makes no repeat count twice and loses no file',
  async () => {
    const data = await mkdtemp(join(tmpdir(), 'tidemark-clock-'))
    const clock = join(data, 'clock')
    const flags = ['--agent-enabled', 'false', '--speed-tick', '1s', '--batch-schedule', '*/2 * * * * *']
    await writeFile(clock, '+0')
    const startMs = Date.now() - 3_600_000
    const senders = [1, 2].map((n) => new LoadSender(n, startMs, MESSAGES))
    let up = await startTurned(join(data, 'd'), clock, flags)
    const range = `from=${startMs - DAY_MS}&to=${startMs + 200 * DAY_MS}`
    const all = async () => {
      const answer = await fetch(`${up.serving}/v1/analytics?${range}`)
      const { services } = (await answer.json()) as { services: { service: string; messages: number }[] }
      return services
        .filter(({ service }) => service.startsWith('service-'))
        .reduce((n, { messages }) => n + messages, 0)
    }
    try {
      for (const part of [0.25, 0.5, 0.75, 1]) {
        for (const sender of senders) sender.connect(up.collector.port)
        await until('all are welcome', () => senders.every(({ connected }) => connected))
        for (const sender of senders) sender.send(MESSAGES * part - sender.sent)
        await until('a part is settled', () => senders.every(({ inFlight }) => inFlight === 0))
        await up.turn(91)
        await ackMs(up.collector.port, 'ahead')
        await wait(3_000)
        await up.turn(0)
        await ackMs(up.collector.port, 'back')
        await wait(1_000)
        if (part !== 0.5) continue
        await up.end('SIGKILL')
        up = await startTurned(join(data, 'd'), clock, flags)
      }
      for (const sender of senders) sender.close()
      await until('they are gone', () => senders.every(({ connected }) => !connected))
      const strangers = senders.map(({ sender }) => new LoadSender(sender, startMs, MESSAGES))
      for (const sender of strangers) sender.connect(up.collector.port)
      await until('they are welcome', () => strangers.every(({ connected }) => connected))
      expect(strangers.map(({ sent }) => sent)).toEqual([MESSAGES, MESSAGES])
      await until('all is counted', async () => (await all()) === 2 * MESSAGES)
      const run = await fetch(`${up.serving}/v1/runs`, {
        method: 'POST',
        body: '{"full":true}',
        headers: { 'content-type': 'application/json' },
      })
      const path = run.headers.get('location')
      await until('it is recomputed', async () => {
        const answer = await fetch(`${up.serving}${path}`)
        return answer.ok && ((await answer.json()) as { state: string }).state !== 'running'
      })
      expect(await all()).toBe(2 * MESSAGES)
      expect(up.output()).not.toMatch(/damaged|missing|vanished|too long ago/)
      expect(senders.flatMap(({ errors }) => errors)).toEqual([])
      expect(await up.end('SIGTERM')).toBe(0)
    } catch (error) {
      showEnd(up)
      throw error
    } finally {
      await cleanUp(up, data)
    }
  },
  200_000,
)
