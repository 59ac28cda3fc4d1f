import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { blocksOf, conforms } from '../../log/conformance.ts'
import { block } from '../../log/journal/samples.ts'
import { type Brokers, kafkaFound, startBrokers } from './brokers.ts'
import { CLIENTS, openOn, topicName } from './opened.ts'

describe.runIf(kafkaFound())('a log on Kafka', () => {
  test('of many that start at once one makes the topic, and all have it', async () => {
    const topic = topicName()
    const starting = Array.from({ length: 4 }, () => Object.keys(CLIENTS)).flat()
    const opened = await Promise.all(starting.map((client) => openOn(client, brokers.addresses, topic)))
    expect(opened.map((log) => log.partitions())).toEqual(starting.map(() => [0, 1]))
    await Promise.all(opened.map((log, i) => log.append(0, block(`agent-${i}`, 1))))
    await Promise.all(opened.map((log) => log.close()))
  })

  let brokers: Brokers
  beforeAll(async () => {
    brokers = await startBrokers(1)
  })
  afterAll(() => brokers[Symbol.asyncDispose]())

  describe.each(Object.keys(CLIENTS))('with %s', (client) => {
    conforms(async () => {
      const topic = topicName()
      const [log, again] = [
        await openOn(client, brokers.addresses, topic),
        await openOn(client, brokers.addresses, topic),
      ]
      return {
        log,
        again: async () => again,
        close: async () => {
          await log.close()
          await again.close()
        },
      }
    })

    test('each block has an id, and a log time by the clock', async () => {
      await using log = disposable(await openOn(client, brokers.addresses, topicName()))
      await Promise.all([1, 2, 3].map((i) => log.append(1, block('a', i))))
      const blocks = await blocksOf(log, 1)
      expect(new Set(blocks.map(({ id }) => id)).size).toBe(3)
      expect(Math.abs(blocks[0]!.logTimeMs - Date.now())).toBeLessThan(60_000)
    })

    test('members of a group share the partitions', async () => {
      const topic = topicName()
      await using one = disposable(await openOn(client, brokers.addresses, topic))
      await using two = disposable(await openOn(client, brokers.addresses, topic))
      await one.append(0, block('a', 1))
      const first = one.share('speed')
      await vi.waitFor(() => expect(first.owned()).toEqual([0, 1]), 60_000)
      const second = two.share('speed')
      const each = () => [first.owned().length, second.owned().length]
      await vi.waitFor(() => expect(each()).toEqual([1, 1]), 60_000)
      // Members that are silent are put out: these are not.
      await new Promise((resolve) => setTimeout(resolve, 12_000))
      expect(each()).toEqual([1, 1])
      await second.close()
      await vi.waitFor(() => expect(first.owned()).toEqual([0, 1]), 60_000)
      await first.close()
    })
  })
})

function disposable<T extends { close(): Promise<void> }>(log: T): T & AsyncDisposable {
  return Object.assign(log, { [Symbol.asyncDispose]: () => log.close() })
}
