import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { nodeRandom } from '../../cli/host/random.ts'
import { SpoolAgent } from './agent.ts'
import { LoadSender } from './load.ts'
import { canMount, MIB, smallDisk } from './small-disk.ts'
import { spawnUp, startUp } from './up.ts'
import { ackMs, counted, lastingPort, peakRss, until } from './watch.ts'

const SENDERS = 3
/** Messages of one sender that wait for their acknowledgement, at most. */
const WAITING_MAX = 5_000

test.runIf(canMount)(
  'on a full disk nothing is acknowledged; with room it goes on by itself, and each message counts once',
  async () => {
    await using disk = await smallDisk(96 * MIB, 8 * MIB)
    const up = await startUp(join(disk.dir, 'data'), ['--agent-enabled', 'false', '--speed-tick', '1s'])
    const startMs = Date.now() - 3_600_000
    const senders = Array.from({ length: SENDERS }, (_, i) => new LoadSender(i + 1, startMs, 1_000_000))
    const rss = peakRss(up.child.pid!)
    const acked = () => senders.reduce((sum, sender) => sum + sender.acked, 0)
    const ready = async () => {
      const answer = await fetch(`${up.serving}/readyz`)
      return { status: answer.status, text: await answer.text() }
    }
    const pace = setInterval(() => {
      for (const sender of senders) if (sender.inFlight < WAITING_MAX) sender.send(200)
    }, 20)
    try {
      for (const sender of senders) sender.connect(up.collector.port)
      await until('the disk is full', async () => (await ready()).text.includes('no space left'))
      await wait(3_000)
      const before = acked()
      await wait(2_000)
      expect(acked()).toBe(before)
      expect(senders.every(({ inFlight }) => inFlight > 0)).toBe(true)
      const full = await ready()
      expect([full.status, full.text]).toEqual([503, expect.stringContaining('log: ')])
      expect(full.text).not.toContain(disk.dir)
      await disk.makeRoom()
      await until('it acknowledges again', () => acked() > before + SENDERS * WAITING_MAX, 20_000)
      clearInterval(pace)
      await until('all is settled', () => senders.every(({ inFlight }) => inFlight === 0))
      await until('it is ready', async () => (await ready()).status === 200, 90_000)
      const services = [0, 1, 2, 3, 4].map((n) => `service-${n}`)
      const all = async () => {
        const counts = await Promise.all(services.map((service) => counted(up, service)))
        return counts.reduce((sum, n) => sum + n, 0)
      }
      await until('all is counted', async () => (await all()) >= acked())
      expect(await all()).toBe(acked())
      expect(senders.flatMap(({ errors }) => errors)).toEqual([])
      const peak = rss()
      console.log(
        `full disk: ${before} acknowledged before, ${acked()} in all; peak ${Math.round(peak / MIB)} MiB`,
      )
      expect(peak).toBeLessThan(900 * MIB)
      expect(up.child.exitCode).toBe(null)
    } catch (error) {
      console.log(up.output().split('\n').slice(-20).join('\n'))
      throw error
    } finally {
      clearInterval(pace)
      for (const sender of senders) sender.close()
      rss()
      await up.end('SIGKILL')
    }
  },
  150_000,
)

test.runIf(canMount)(
  'up started on a full disk says so, goes on by itself when there is room, and has what it had',
  async () => {
    await using disk = await smallDisk(64 * MIB, 32 * MIB)
    const data = join(disk.dir, 'data')
    const port = await lastingPort(() => nodeRandom().float())
    const url = `http://127.0.0.1:${port}`
    const flags = ['--agent-enabled', 'false', '--speed-tick', '1s', '--serving-listen', `127.0.0.1:${port}`]
    let up = await startUp(data, flags)
    try {
      await ackMs(up.collector.port, 'web')
      await up.end('SIGTERM')
      for (const before of ['with data', 'without']) {
        if (before === 'without') await rm(data, { recursive: true })
        await disk.fill(0)
        const starting = startUp(data, flags)
        await until('it answers', async () => (await fetch(`${url}/healthz`).catch(() => null))?.ok === true)
        const ready = await fetch(`${url}/readyz`)
        const text = await ready.text()
        expect([ready.status, text]).toEqual([503, expect.stringMatching(/(DATA|LAKE)\/.*no space left/)])
        expect(text).not.toContain(disk.dir)
        expect((await fetch(`${url}/v1/services`)).status).toBe(503)
        await disk.unfill()
        up = await starting
        await until('it is ready', async () => (await fetch(`${url}/readyz`)).ok)
        await until('it counts', async () => (await counted(up, 'web')) === (before === 'without' ? 0 : 1))
        await ackMs(up.collector.port, 'other')
        expect(await up.end('SIGTERM')).toBe(0)
      }
    } finally {
      await up.end('SIGKILL')
    }
  },
  120_000,
)

test.runIf(canMount)('up that waits for room ends when it is told to', async () => {
  await using disk = await smallDisk(2 * MIB, 0)
  const { child, ended, output } = spawnUp(join(disk.dir, 'data'))
  try {
    await until('it waits', () => output().includes('nothing is started until there is room'))
    child.kill('SIGTERM')
    expect(await ended).toBe(0)
  } finally {
    child.kill('SIGKILL')
  }
})

test.runIf(canMount)(
  'an agent whose disk is full keeps what it has, also when it is started there, and goes on when there is room',
  async () => {
    await using disk = await smallDisk(2 * MIB, 2 * MIB)
    const data = await mkdtemp(join(tmpdir(), 'tidemark-full-up-'))
    const port = await lastingPort(() => nodeRandom().float())
    const agent = new SpoolAgent(port, 'spooled', join(disk.dir, 'spool'), '10ms')
    let up: Awaited<ReturnType<typeof startUp>> | null = null
    try {
      agent.start()
      await until('it samples', async () => (await agent.newest()) > 100)
      await disk.fill(8_192)
      await until('its disk is full', () => agent.printed.includes('no space left'))
      const kept = await agent.newest()
      await wait(2_000)
      expect([await agent.newest(), agent.living]).toEqual([kept, true])
      await agent.end('SIGKILL')
      agent.start()
      await until('it starts there', () => agent.printed.includes('lost until there is room'))
      await wait(2_000)
      expect([await agent.newest(), agent.living]).toEqual([kept, true])
      await disk.unfill()
      await until('it goes on', async () => (await agent.newest()) > kept + 50)
      up = await startUp(data, ['--agent-enabled', 'false', '--collector-listen', `127.0.0.1:${port}`])
      const running = up
      await until(
        'it has caught up',
        async () => (await counted(running, 'spooled')) + 50 > (await agent.newest()),
      )
      await agent.end('SIGTERM')
      const all = await agent.newest()
      await until('all is counted', async () => (await counted(running, 'spooled')) >= all)
      expect(await counted(running, 'spooled')).toBe(all)
      const { collector } = (await (await fetch(`${running.serving}/v1/status`)).json()) as {
        collector: { lost_by_agents: number }
      }
      expect(collector.lost_by_agents).toBeGreaterThan(50)
    } finally {
      await agent.end('SIGKILL')
      await up?.end('SIGKILL')
      await rm(data, { recursive: true, force: true })
    }
  },
  120_000,
)
