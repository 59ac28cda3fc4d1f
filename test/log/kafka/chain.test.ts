import { expect, test } from 'vitest'
import type { Fetched, KafkaClient, ProducedRecord } from '../../../log/kafka/client.ts'
import { type KafkaLog, openKafkaLog } from '../../../log/kafka/kafka-log.ts'
import { stringAt } from '../../../schemas/string-column.ts'
import { SimClock } from '../../sim/clock.ts'
import { simRandom } from '../../sim/random.ts'
import { block, START_MS } from '../journal/samples.ts'

/** A topic of one partition in memory, some of whose produce requests fail: those before they are stored, these after. */
class MemoryTopic implements KafkaClient {
  readonly stored: ProducedRecord[] = []
  refused = 0
  lost = 0
  under = 0
  openTopic = async () => 1
  async produce(_partition: number, records: readonly ProducedRecord[]): Promise<number> {
    this.under += 1
    expect(this.under).toBe(1)
    await Promise.resolve()
    this.under -= 1
    if (this.refused > 0) {
      this.refused -= 1
      throw new Error('unreachable')
    }
    const first = this.stored.length
    this.stored.push(...records)
    if (this.lost > 0) {
      this.lost -= 1
      throw new Error('no answer')
    }
    return first
  }
  async fetch(_partition: number, offset: number): Promise<Fetched> {
    const records = this.stored.map((record, at) => ({ ...record, offset: at })).slice(offset)
    return { records, offsets: { first: 0, next: this.stored.length } }
  }
  offsets = async () => new Map([[0, { first: 0, next: this.stored.length }]])
  deleteBelow = async () => {}
  join = async () => ({ leave: async () => {} })
  close = async () => {}
}

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
