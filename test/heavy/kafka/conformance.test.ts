import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { block } from '../../log/journal/samples.ts'
import { type Brokers, kafkaFound, startBrokers } from './brokers.ts'
import { blocksOf, CLIENTS, openOn, topicName } from './opened.ts'

describe.runIf(kafkaFound())('a log on Kafka', () => {
  let brokers: Brokers
  beforeAll(async () => {
    brokers = await startBrokers(1)
  })
  afterAll(() => brokers[Symbol.asyncDispose]())

  describe.each(Object.keys(CLIENTS))('with %s', (client) => {
    test('blocks come back in order as they were appended, each with its id and log time', async () => {
      await using log = disposable(await openOn(client, brokers.addresses, topicName()))
      expect([log.partitions(), log.end(0), log.start(0)]).toEqual([[0, 1], -1, -1])
      const sent = Array.from({ length: 300 }, (_, i) => block('a', i + 1))
      const offsets = await Promise.all(sent.map((payload) => log.append(0, payload)))
      expect(offsets).toEqual(sent.map((_, i) => i))
      const blocks = await blocksOf(log, 0)
      expect(blocks.map(({ payload }) => Buffer.from(payload!))).toEqual(sent.map((one) => Buffer.from(one)))
      expect(new Set(blocks.map(({ id }) => id)).size).toBe(300)
      expect(Math.abs(blocks[0]!.logTimeMs - Date.now())).toBeLessThan(60_000)
      expect([log.senders.highestSeq('a'), log.pendingBytes(), log.end(1)]).toEqual([300, 0, -1])
    })

    test('another reader sees the end grow, and begins anywhere', async () => {
      const topic = topicName()
      await using writer = disposable(await openOn(client, brokers.addresses, topic))
      await using reader = disposable(await openOn(client, brokers.addresses, topic))
      for (let i = 1; i <= 5; i++) await writer.append(1, block('a', i))
      await vi.waitFor(() => expect(reader.end(1)).toBe(4), 5_000)
      const { blocks, to } = await reader.read(1, 2, 1)
      expect([blocks.map(({ offset }) => offset), to]).toEqual([[3], 3])
      expect(await reader.read(1, 4, 10)).toMatchObject({ blocks: [], to: 4 })
    })

    test('what is trimmed is gone, for other readers too', async () => {
      const topic = topicName()
      await using log = disposable(await openOn(client, brokers.addresses, topic))
      for (let i = 1; i <= 5; i++) await log.append(0, block('a', i))
      await log.trim({ 0: 2 })
      await using other = disposable(await openOn(client, brokers.addresses, topic))
      expect([log.start(0), other.start(0), other.end(0)]).toEqual([2, 2, 4])
      expect((await blocksOf(other, 0)).map(({ offset }) => offset)).toEqual([3, 4])
      await expect(other.read(0, 1, 10)).rejects.toMatchObject({ code: 'E_TRIMMED' })
    })

    test('members of a group share the partitions', async () => {
      const topic = topicName()
      await using log = disposable(await openOn(client, brokers.addresses, topic))
      await log.append(0, block('a', 1))
      const one = CLIENTS[client]!({ brokers: brokers.addresses, topic })
      const two = CLIENTS[client]!({ brokers: brokers.addresses, topic })
      const has: (readonly number[])[] = [[], []]
      const member = (at: number) => ({
        assigned(mine: readonly number[]) {
          has[at] = mine
        },
        lost: (reason: string) => expect.unreachable(reason),
      })
      const first = await one.join('speed', member(0))
      await vi.waitFor(() => expect(has[0]).toEqual([0, 1]), 15_000)
      const second = await two.join('speed', member(1))
      await vi.waitFor(() => expect([has[0]!.length, has[1]!.length]).toEqual([1, 1]), 30_000)
      // Members that are silent are put out: these are not.
      await new Promise((resolve) => setTimeout(resolve, 12_000))
      expect([has[0]!.length, has[1]!.length]).toEqual([1, 1])
      await second.leave()
      await vi.waitFor(() => expect(has[0]).toEqual([0, 1]), 30_000)
      await first.leave()
      await one.close()
      await two.close()
    })
  })
})

function disposable<T extends { close(): Promise<void> }>(log: T): T & AsyncDisposable {
  return Object.assign(log, { [Symbol.asyncDispose]: () => log.close() })
}
