import { expect, test } from 'vitest'
import { type Agent, type AgentConfig, startAgent } from '../../agent/agent.ts'
import type { Backlog } from '../../agent/backlog.ts'
import { MessageQueue } from '../../agent/queue.ts'
import { GOODBYE_MS_MAX } from '../../collector/intake/limits.ts'
import type { Socket } from '../../schemas/ports/net.ts'
import { Client, cpus, NOW_MS, Rig } from '../collector/rig.ts'
import { simRandom } from '../sim/random.ts'
import { close } from './rig.ts'

/** An agent whose samples count up from 1 in `cpu`. */
function start(rig: Rig, config: Partial<AgentConfig> = {}, backlog?: Backlog): Agent {
  let cpu = 0
  return startAgent(
    { ...ADDRESS, service: 'web', hostName: 'web-1', intervalMs: 1_000, ...config },
    {
      net: rig.net,
      clock: rig.clock,
      random: simRandom(7),
      sample: async () => [++cpu, 2, 3],
      ...(backlog && { backlog }),
      logLine: (line) => void rig.lines.push(line),
    },
  )
}

const ADDRESS = { host: '127.0.0.1', port: 7070 }

/** A collector that a test speaks for, one client a connection. */
async function playCollector(rig: Rig): Promise<{ heard: Client[] }> {
  const heard: Client[] = []
  await rig.net.listen(ADDRESS.host, ADDRESS.port, (socket: Socket) => void heard.push(new Client(socket)))
  return { heard }
}

const seqs = (client: Client | undefined) =>
  client!.answers.flatMap(({ seq }) => (typeof seq === 'number' ? [seq] : []))

test('samples arrive once each, numbered, under the names configured', async () => {
  const rig = await Rig.start({ port: 7070 })
  const agent = start(rig)
  for (let i = 0; i < 10; i++) await rig.run(1_000)
  await close(agent, rig)
  const sent = rig.log.messages()
  expect(sent.map(({ seq }) => seq)).toEqual(sent.map((_, i) => i + 1))
  expect(sent.length).toBeGreaterThanOrEqual(10)
  expect(sent[0]).toMatchObject({ names: ['web', 'web-1'], gauges: [1, 2, 3] })
  expect(agent.status()).toMatchObject({ queued: 0, lost: 0, acked: sent.length })
})

test('nothing runs on after it is closed', async () => {
  const rig = await Rig.start({ port: 7070 })
  const agent = start(rig)
  await rig.run(3_000)
  await close(agent, rig)
  await rig.collector.close()
  expect(rig.clock.pending).toBe(0)
})

test('what was not acknowledged is sent again after the connection broke, and counts once', async () => {
  const rig = await Rig.start({ port: 7070 })
  const agent = start(rig)
  await rig.run(3_000)
  rig.log.held = true
  await rig.run(3_000)
  rig.log.release()
  rig.net.reset()
  const closed = rig.collector.close()
  await rig.run(GOODBYE_MS_MAX)
  await closed
  await rig.restart({ port: 7070 })
  await rig.run(10_000)
  await close(agent, rig)
  const sent = rig.log.messages().map(({ seq }) => seq)
  expect(sent).toEqual(sent.map((_, i) => i + 1))
  expect(sent.length).toBeGreaterThanOrEqual(16)
})

test('while nobody listens samples wait; the oldest go first, counted and said', async () => {
  const rig = new Rig()
  const agent = start(rig, {}, new MessageQueue(5, 'few'))
  await rig.run(9_000)
  expect(agent.status()).toMatchObject({ state: 'connecting', queued: 5, lost: 5 })
  expect(rig.lines.filter((line) => line.includes('lost so far'))).toHaveLength(1)
  expect(rig.lines.filter((line) => line.includes('E_CONNECT'))).toHaveLength(1)
  await rig.restart({ port: 7070 })
  await rig.run(30_000)
  expect(agent.status()).toMatchObject({ state: 'connected' })
  await close(agent, rig)
  const kept = cpus(rig.log)
  expect(kept).toEqual(kept.map((_, i) => kept[0]! + i))
  expect(agent.status().lost).toBeGreaterThanOrEqual(kept[0]! - 1)
})

test('samples lost while the collector was slow are said as they begin and when all is sent, no more', async () => {
  const rig = await Rig.start({ port: 7070 })
  const agent = start(rig, {}, new MessageQueue(5, 'few'))
  await rig.run(2_000)
  rig.log.held = true
  await rig.run(20_000)
  rig.log.release()
  await rig.run(20_000)
  const { state, lost } = agent.status()
  expect([state, lost > 1]).toEqual(['connected', true])
  const said = rig.lines.filter((line) => line.includes('lost so far'))
  expect(said.map((line) => line.match(/\d+/)![0])).toEqual(['1', String(lost)])
  await close(agent, rig)
})

test('it waits longer and longer between attempts, up to 30 seconds', async () => {
  const rig = new Rig()
  const attempts: number[] = []
  const connect = rig.net.connect.bind(rig.net)
  rig.net.connect = (host, port) => {
    attempts.push(rig.clock.nowMs())
    return connect(host, port)
  }
  const agent = start(rig)
  await rig.run(300_000)
  const waits = attempts.slice(1).map((ms, i) => ms - attempts[i]!)
  waits.forEach((ms, i) => {
    const longest = Math.min(30_000, 500 * 2 ** i)
    expect(ms).toBeGreaterThanOrEqual(longest / 2)
    expect(ms).toBeLessThanOrEqual(longest)
  })
  expect(waits.length).toBeGreaterThan(10)
  await close(agent, rig)
})

test('it goes on behind the welcome', async () => {
  const rig = new Rig()
  const { heard } = await playCollector(rig)
  const agent = start(rig)
  await rig.run(3_000)
  heard[0]!.send({ welcome: 1, seq: 2 })
  await rig.run(0)
  expect(seqs(heard[0])).toEqual([3, 4])
  await close(agent, rig)
})

test('when the welcome exceeds what it ever sent, it takes a new id and numbers from 1', async () => {
  const rig = new Rig()
  const { heard } = await playCollector(rig)
  const agent = start(rig)
  await rig.run(2_000)
  const before = agent.status().agent
  heard[0]!.send({ welcome: 1, seq: 99 })
  await rig.run(1_000)
  heard[1]!.send({ welcome: 1, seq: 0 })
  await rig.run(0)
  expect(heard[1]!.answers[0]).toEqual({
    hello: 1,
    agent: agent.status().agent,
    time: expect.any(Number),
  })
  expect(agent.status().agent).not.toBe(before)
  expect(seqs(heard[1])).toEqual([1, 2, 3, 4])
  await close(agent, rig)
})

test('no more than a thousand messages are on their way', async () => {
  const rig = new Rig()
  const { heard } = await playCollector(rig)
  const agent = start(rig, { intervalMs: 10 })
  await rig.run(15_000)
  heard[0]!.send({ welcome: 1, seq: 0 })
  await rig.run(2_000)
  expect(seqs(heard[0])).toHaveLength(1_000)
  heard[0]!.send({ ack: 400 })
  await rig.run(2_000)
  expect(seqs(heard[0])).toHaveLength(1_400)
  await close(agent, rig)
})

test('a backlog drains at two thousand a second', async () => {
  const rig = await Rig.start({ port: 7070 })
  const backlog = new MessageQueue(10_000, 'behind')
  for (let i = 0; i < 5_000; i++)
    await backlog.push({ names: ['web', 'h'], timeMs: NOW_MS, gauges: [1, 2, 3] })
  const agent = start(rig, {}, backlog)
  await rig.run(2_000)
  expect(agent.status().acked).toBeGreaterThan(3_000)
  expect(agent.status().acked).toBeLessThan(4_500)
  await rig.run(2_000)
  expect(agent.status().acked).toBeGreaterThanOrEqual(5_000)
  await close(agent, rig)
})

test('the collector hears how many samples were lost, once', async () => {
  const rig = new Rig()
  const { heard } = await playCollector(rig)
  const agent = start(rig, {}, new MessageQueue(2, 'few'))
  await rig.run(5_000)
  heard[0]!.socket.destroy()
  await rig.run(2_000)
  expect(heard[1]!.answers[0]).toMatchObject({ hello: 1, agent: 'few', lost: 4 })
  heard[1]!.send({ welcome: 1, seq: 0 })
  await rig.run(0)
  expect(rig.lines).toContain('agent: the collector knows that 4 samples are lost')
  heard[1]!.socket.destroy()
  await rig.run(2_000)
  expect(heard[2]!.answers[0]).not.toHaveProperty('lost', 4)
  await close(agent, rig)
})

test('what was lost before a restart is told in the first hello, and the spool learns that it was', async () => {
  const rig = new Rig()
  const { heard } = await playCollector(rig)
  const told: number[] = []
  const backlog = Object.assign(new MessageQueue(10, 'again'), {
    lost: 7,
    told: (samples: number) => void told.push(samples),
  })
  const agent = start(rig, {}, backlog)
  await rig.run(0)
  expect([heard[0]!.answers[0], told]).toMatchObject([{ hello: 1, agent: 'again', lost: 7 }, []])
  heard[0]!.send({ welcome: 1, seq: 0 })
  await rig.run(0)
  expect(told).toEqual([7])
  await close(agent, rig)
})

test('a collector that owes an answer and falls silent is left', async () => {
  const rig = new Rig()
  const { heard } = await playCollector(rig)
  const agent = start(rig)
  await rig.run(2_000)
  heard[0]!.send({ welcome: 1, seq: 0 })
  await rig.run(50_000)
  expect(heard).toHaveLength(1)
  await rig.run(15_000)
  expect(heard).toHaveLength(2)
  await close(agent, rig)
})

test('whoever answers otherwise is no collector: disconnected, said, tried again later', async () => {
  for (const answer of [
    'HTTP/1.1 400 Bad Request\r\n\r\n',
    'null\n',
    '{"ack":"all"}\n',
    'x'.repeat(100_000),
  ]) {
    const rig = new Rig()
    const { heard } = await playCollector(rig)
    const agent = start(rig)
    await rig.run(100)
    heard[0]!.socket.write(answer)
    await rig.run(1_000)
    expect(rig.lines).toContain('agent: what answers at 127.0.0.1:7070 is no collector')
    expect([heard[0]!.closed, heard.length]).toEqual(['connection reset', 2])
    await close(agent, rig)
  }
})

test('what the collector says is in the log', async () => {
  const rig = new Rig()
  const { heard } = await playCollector(rig)
  const agent = start(rig)
  await rig.run(100)
  heard[0]!.send({ error: { line: 1, code: 'E_HELLO', message: 'no' } })
  await rig.run(100)
  expect(rig.lines).toEqual(['agent: the collector says: no (E_HELLO)'])
  await close(agent, rig)
})

test('closing does not wait for a connection that never comes about', async () => {
  const rig = new Rig()
  rig.net.connect = () => new Promise(() => {})
  const agent = start(rig)
  await rig.run(5_000)
  await agent.close()
  expect(rig.clock.pending).toBe(0)
})
