import { describe, expect, test } from 'vitest'
import type { KafkaLog } from '../../../log/kafka/kafka-log.ts'
import { blocksOf } from '../../log/conformance.ts'
import { block } from '../../log/journal/samples.ts'
import { until } from '../watch.ts'
import { type Brokers, kafkaFound, startBrokers } from './brokers.ts'
import { CLIENTS, openOn, SINGLE, topicName } from './opened.ts'
import { startProxy } from './proxy.ts'

describe.runIf(kafkaFound()).each(Object.keys(CLIENTS))('what %s acknowledged', (client) => {
  test('is there in order when answers of the broker are lost, and what is there twice has one id', async () => {
    await using proxy = await startProxy()
    await using brokers = await startBrokers(1, { advertised: proxy.port, listening: proxy.reach })
    const log = await openOn(client, brokers.addresses, topicName())
    await appendDuring(log, async (appended) => {
      for (const count of [40, 80, 120]) {
        await appended(count)
        proxy.swallow(1)
      }
      await appended(200)
    })
    expect(proxy.swallowed()).toBe(3)
    await log.close()
  })

  test('is there in order when every connection falls silent, and what is new is read and seen again', async () => {
    await using proxy = await startProxy()
    await using brokers = await startBrokers(1, { advertised: proxy.port, listening: proxy.reach })
    const topic = topicName()
    const log = await openOn(client, brokers.addresses, topic)
    const other = await openOn(client, brokers.addresses, topic)
    let handed = 0
    const group = other.share('readers')
    group.onChange(() => (handed += 1))
    await appendDuring(log, async (appended) => {
      await appended(50)
      await until('a partition is handed out', () => handed > 0)
      proxy.silence()
      await appended(50)
    })
    await until('the other sees it', () => other.end(0) === log.end(0), 60_000)
    await until('the other works', () => other.state().state === 'ok', 60_000)
    expect((await blocksOf(other, 1)).length).toBe((await blocksOf(log, 1)).length)
    await until('the other is a member', () => group.failing === null, 60_000)
    await group.close()
    await other.close()
    await log.close()
  })

  test('is there in order when the broker is killed and comes back', async () => {
    await using brokers = await startBrokers(1)
    const log = await openOn(client, brokers.addresses, topicName())
    await killDuring(log, brokers, 1)
    await log.close()
  })

  test('is there in order when each of three brokers is killed in turn, leaders too', async () => {
    await using brokers = await startBrokers(3)
    const three = { ...SINGLE, replication: 3, minInsync: 2, flush: false }
    const log = await openOn(client, brokers.addresses, topicName(), three)
    await killDuring(log, brokers, 3)
    await log.close()
  })
})

function killDuring(log: KafkaLog, brokers: Brokers, nodes: number): Promise<void> {
  return appendDuring(log, async (appended) => {
    for (let node = 1; node <= nodes; node++) {
      await appended(100 * node)
      await brokers.kill(node)
      await new Promise((resolve) => setTimeout(resolve, 1_000))
      await brokers.start(node)
      await appended(100 * node + 50)
    }
  })
}

/**
 * Appends to both partitions, several at a time, while `work` goes on, which can wait for a number of acknowledgements; then
 * every acknowledged block stands at the offset that was told, and without repeats of an id all are in the order of the appends.
 */
async function appendDuring(
  log: KafkaLog,
  work: (appended: (count: number) => Promise<void>) => Promise<void>,
): Promise<void> {
  const acknowledged: Map<number, number>[] = [new Map(), new Map()]
  let stop = false
  let next = 1
  const one = async (partition: number) => {
    while (!stop) {
      const seq = next++
      const offset = await log.append(partition, block('a', seq))
      acknowledged[partition]!.set(seq, offset)
      await new Promise((resolve) => setTimeout(resolve, 1))
    }
  }
  const appending = Promise.all([0, 0, 0, 1, 1].map(one))
  const count = () => acknowledged[0]!.size + acknowledged[1]!.size
  try {
    await work(async (wanted) => {
      const deadline = Date.now() + 60_000
      const from = count()
      while (count() < from + Math.min(wanted, 100) && Date.now() < deadline)
        await new Promise((resolve) => setTimeout(resolve, 5))
      if (Date.now() >= deadline) throw new Error(`nothing is acknowledged any more: ${log.state().reason}`)
    })
  } finally {
    stop = true
  }
  await appending
  expect(log.state()).toMatchObject({ state: 'ok', pendingBytes: 0 })
  for (const partition of [0, 1]) {
    const blocks = await blocksOf(log, partition)
    const byId = new Map(blocks.map((one) => [one.id, one.messages.seq[0]!]))
    const seqs = [...byId.values()]
    expect(seqs).toEqual([...acknowledged[partition]!.keys()].sort((a, b) => a - b))
    expect(seqs).toEqual(seqs.toSorted((a, b) => a - b))
    const at = new Map(blocks.map(({ offset, messages }) => [offset, messages.seq[0]]))
    for (const [seq, offset] of acknowledged[partition]!) expect(at.get(offset)).toBe(seq)
  }
}
