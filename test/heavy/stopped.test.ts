import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { nodeRandom } from '../../cli/host/random.ts'
import { SpoolAgent } from './agent.ts'
import { messagesOf } from './lake.ts'
import { runCommand, startUp } from './up.ts'
import { counted, lastingPort, until } from './watch.ts'

const AWAY_MS = 20_000
/** An agent sends 100 messages in one go, and pauses for 50 ms behind them. */
const PER_SECOND_MAX = 2_000
const BATCH_MAX = 100

test('a collector that stands still, and one that is stopped for a while: agents spool, and drain in order', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'tidemark-stopped-'))
  const data = join(dir, 'data')
  const port = await lastingPort(() => nodeRandom().float())
  const start = () => startUp(data, ['--agent-enabled', 'false', '--collector-listen', `127.0.0.1:${port}`])
  let up = await start()
  const agents = [0, 1].map((i) => new SpoolAgent(port, `spooled-${i}`, join(dir, `spool-${i}`)))
  const caughtUp = async (agent: SpoolAgent) =>
    (await counted(up, agent.service)) + 50 > (await agent.newest())
  try {
    for (const agent of agents) agent.start()
    await until('samples arrive', async () => (await counted(up, 'spooled-1')) > 20)
    const before = await agents[0]!.newest()
    up.child.kill('SIGSTOP')
    await wait(AWAY_MS)
    expect(await agents[0]!.newest()).toBeGreaterThan(before + 100)
    up.child.kill('SIGCONT')
    for (const agent of agents) await until('it has caught up', () => caughtUp(agent))
    expect(await up.end('SIGTERM')).toBe(0)
    const stopped = await agents[0]!.newest()
    await wait(AWAY_MS / 2)
    expect(await agents[0]!.newest()).toBeGreaterThan(stopped + 50)
    up = await start()
    for (const agent of agents) {
      await until('it has caught up', () => caughtUp(agent))
      await agent.end('SIGTERM')
    }
    const kept = await Promise.all(agents.map((agent) => agent.newest()))
    for (const [i, agent] of agents.entries())
      await until('all is counted', async () => (await counted(up, agent.service)) >= kept[i]!)
    expect(await up.end('SIGTERM')).toBe(0)
    expect((await runCommand(['batch', '--once', '--data', data])).code).toBe(0)
    const messages = await messagesOf(data)
    for (const [i, agent] of agents.entries()) {
      const seqs = messages.filter(({ names }) => names[0] === agent.service).map(({ seq }) => seq)
      expect(seqs).toEqual(Array.from({ length: kept[i]! }, (_, n) => n + 1))
    }
  } finally {
    up.child.kill('SIGCONT')
    for (const agent of agents) await agent.end('SIGKILL')
    await up.end('SIGKILL')
    await rm(dir, { recursive: true, force: true })
  }
}, 120_000)

test('what waited is sent at a bounded rate, in order', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'tidemark-rate-'))
  const port = await lastingPort(() => nodeRandom().float())
  const agent = new SpoolAgent(port, 'spooled', join(dir, 'spool'), '5ms')
  const arrivals: { seq: number; ms: number }[] = []
  const server = net.createServer((socket) => {
    let text = ''
    socket.on('error', () => {})
    socket.on('data', (bytes) => {
      const lines = (text + bytes).split('\n')
      text = lines.pop()!
      for (const line of lines) {
        const { hello, seq } = JSON.parse(line) as { hello?: number; seq?: number }
        if (hello === undefined) arrivals.push({ seq: seq!, ms: performance.now() })
        socket.write(hello === undefined ? `{"ack":${seq}}\n` : '{"welcome":1,"seq":0}\n')
      }
    })
  })
  try {
    agent.start()
    await until('much waits', async () => (await agent.newest()) >= 1_000, 30_000)
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
    await until('it is sent', () => arrivals.length >= 1_000, 40_000)
    expect(arrivals.every(({ seq }, i) => seq === i + 1)).toBe(true)
    const [first] = arrivals
    for (const [i, { ms }] of arrivals.slice(0, 1_000).entries())
      expect(i).toBeLessThan(3 * BATCH_MAX + (1.5 * PER_SECOND_MAX * (ms - first!.ms)) / 1_000)
  } finally {
    await agent.end('SIGKILL')
    server.close()
    await rm(dir, { recursive: true, force: true })
  }
}, 90_000)
