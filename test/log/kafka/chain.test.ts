import { expect, test } from 'vitest'
import { startCollector } from '../../../collector/collector.ts'
import { PENDING_BYTES_MAX } from '../../../collector/intake/limits.ts'
import type { KafkaClient } from '../../../log/kafka/client.ts'
import { type KafkaLog, openKafkaLog } from '../../../log/kafka/kafka-log.ts'
import { host } from '../../../schemas/datasets/host.ts'
import { stringAt } from '../../../schemas/string-column.ts'
import { Client } from '../../collector/rig.ts'
import { SimClock } from '../../sim/clock.ts'
import { SimDisk } from '../../sim/disk.ts'
import { SimNet } from '../../sim/net.ts'
import { simRandom } from '../../sim/random.ts'
import { block, START_MS } from '../journal/samples.ts'
import { MemoryTopic } from './memory-topic.ts'

const spec = { partitions: 1, replication: 1, minInsync: 1, flush: true }
const open = (client: KafkaClient, clock: SimClock): Promise<KafkaLog> =>
  openKafkaLog(spec, { client, clock, random: simRandom(1), logLine: () => {} })

test('a group whose answer was lost is sent again whole, with the same ids, before anything else', async () => {
  const topic = new MemoryTopic()
  const clock = new SimClock(START_MS)
  const log = await open(topic, clock)
  topic.lost = 1
  const first = [1, 2, 3].map((seq) => log.append(0, block('a', seq)))
  await clock.advance(1)
  const later = log.append(0, block('a', 4))
  expect(log.state()).toMatchObject({ state: 'failed', reason: 'no answer' })
  await clock.advance(1_000)
  expect(await Promise.all([...first, later])).toEqual([3, 4, 5, 6])
  const { blocks } = await log.read(0, -1, 100)
  expect(blocks.map(({ messages }) => `${stringAt(messages.agent, 0)}${messages.seq[0]}`)).toEqual([
    'a1',
    'a2',
    'a3',
    'a1',
    'a2',
    'a3',
    'a4',
  ])
  expect(blocks.slice(0, 3).map(({ id }) => id)).toEqual(blocks.slice(3, 6).map(({ id }) => id))
  expect(log.state()).toMatchObject({ state: 'ok', pendingBytes: 0 })
  await log.close()
})

test('while brokers cannot be reached appends wait, and end with the log', async () => {
  const topic = new MemoryTopic()
  const clock = new SimClock(START_MS)
  const log = await open(topic, clock)
  topic.refused = Number.POSITIVE_INFINITY
  const waiting = [1, 2].map((seq) => log.append(0, block('a', seq)))
  const ended = Promise.allSettled(waiting)
  await clock.advance(60_000)
  expect(log.pendingBytes()).toBeGreaterThan(0)
  expect(log.senders.highestSeq('a')).toBe(0)
  await log.close()
  expect((await ended).map((one) => one.status)).toEqual(['rejected', 'rejected'])
  await expect(log.append(0, block('a', 3))).rejects.toMatchObject({ code: 'E_CLOSED' })
})

test('a record that is not ours is a gap, and reading goes on', async () => {
  const topic = new MemoryTopic()
  const log = await open(topic, new SimClock(START_MS))
  topic.stored.push({ value: Buffer.from('hello'), header: Buffer.from('other') })
  await log.append(0, block('a', 1))
  const { blocks, gaps, to } = await log.read(0, -1, 10)
  expect([blocks.map(({ offset }) => offset), gaps.map(({ from, to }) => [from, to]), to]).toEqual([
    [1],
    [[-1, 0]],
    1,
  ])
  await log.close()
})

test('who waits for fewer pending bytes is told also when the end was known before', async () => {
  const topic = new MemoryTopic()
  const clock = new SimClock(START_MS)
  const log = await open(topic, clock)
  topic.lost = 1
  const appended = log.append(0, block('a', 1))
  // The look at the brokers sees what is stored and has no answer yet.
  await clock.advance(400)
  expect([log.end(0), log.pendingBytes() > 0]).toEqual([0, true])
  topic.stored.length = 0
  const pending: number[] = []
  log.onAppend(() => void pending.push(log.pendingBytes()))
  await clock.advance(500)
  expect([await appended, log.end(0), pending.at(-1)]).toEqual([0, 0, 0])
  await log.close()
})

test('senders wait while too much waits for the brokers, and go on when it is durable', async () => {
  const topic = new MemoryTopic()
  topic.refused = Number.POSITIVE_INFINITY
  const clock = new SimClock(START_MS)
  const log = await open(topic, clock)
  const net = new SimNet(1)
  const [disk, rejectsDir, logLine] = [new SimDisk(1), '/rejects', () => {}]
  const { senders } = log
  const deps = { log, senders, net, clock, disk, rejectsDir, logLine, datasets: [host] }
  const collector = await startCollector({ host: '127.0.0.1', port: 0 }, deps)
  const waiting: Promise<number>[] = []
  while (log.pendingBytes() <= PENDING_BYTES_MAX)
    waiting.push(log.append(0, block('a', 1 + 20_000 * waiting.length, 20_000)))
  const most = log.pendingBytes()
  const sender = new Client(await net.connect('127.0.0.1', collector.port))
  for (let cpu = 1; cpu <= 100; cpu++) sender.send({ service: 'web', cpu, ram: 1, disk: 1 })
  await clock.advance(10_000)
  expect(log.pendingBytes()).toBe(most)
  topic.refused = 0
  await clock.advance(2_000)
  expect([log.pendingBytes(), sender.acks.at(-1)]).toEqual([0, 100])
  await Promise.all(waiting)
  await collector.close()
  await log.close()
})

test('agents unseen for 90 days of log time are forgotten', async () => {
  const clock = new SimClock(START_MS)
  const log = await open(new MemoryTopic(), clock)
  await log.append(0, block('gone', 7))
  clock.step(91 * 86_400_000)
  // The clock is believed by then.
  await clock.advance(11 * 60_000)
  await log.append(0, block('a', 1))
  expect([log.senders.highestSeq('gone'), log.senders.highestSeq('a')]).toEqual([0, 1])
  await log.close()
})
