import { Admin, Consumer, type ConsumerGroupJoinPayload, ProduceAcks, Producer } from '@platformatic/kafka'
import { TidemarkError } from '../../schemas/errors.ts'
import {
  type FetchedRecord,
  groupOf,
  type KafkaClient,
  type KafkaConnection,
  type PartitionOffsets,
  RECORD_HEADER,
  REQUEST_MS,
  SESSION_MS,
  topicConfigs,
} from './client.ts'

/** Tries within one call, and the time between them; the log tries again whole groups. */
const RETRIES = 5
const RETRY_DELAY_MS = 100

const EARLIEST = -2n
const LATEST = -1n

export function platformaticClient({ brokers, topic, tls, sasl }: KafkaConnection): KafkaClient {
  const options = {
    clientId: 'tidemark',
    bootstrapBrokers: [...brokers],
    timeout: REQUEST_MS,
    retries: RETRIES,
    retryDelay: RETRY_DELAY_MS,
    autocreateTopics: false,
    ...(tls && { tls: tls.ca === undefined ? {} : { ca: tls.ca } }),
    ...(sasl && {
      sasl: {
        mechanism: sasl.mechanism.toUpperCase() as 'PLAIN' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512',
        username: sasl.username,
        password: sasl.password,
      },
    }),
  }
  const admin = new Admin(options)
  const producer = new Producer({ ...options, idempotent: true, acks: ProduceAcks.ALL })
  // Reads by offset; it joins no group.
  const reader = new Consumer({ ...options, groupId: `tidemark-reader-of-${topic}` })
  const describe = async (forceUpdate = false) => {
    const found = (await admin.metadata({ topics: [topic], forceUpdate })).topics.get(topic)
    if (found === undefined) throw new TidemarkError('E_LOG', `there is no topic ${topic}`)
    return found
  }
  const listOffsets = async (timestamp: bigint): Promise<Map<number, number>> => {
    const { partitionsCount } = await describe()
    const partitions = Array.from({ length: partitionsCount }, (_, partitionIndex) => {
      return { partitionIndex, timestamp }
    })
    const [found] = await admin.listOffsets({ topics: [{ name: topic, partitions }] })
    return new Map(found!.partitions.map(({ partitionIndex, offset }) => [partitionIndex, Number(offset)]))
  }

  return telling({
    async openTopic(spec) {
      if (!(await admin.listTopics()).includes(topic)) {
        const topics = {
          topics: [topic],
          partitions: spec.partitions,
          replicas: spec.replication,
          configs: topicConfigs(spec),
        }
        await admin.createTopics(topics).catch((error: unknown) => {
          // Another process was first.
          if ((innermost(error) as { apiId?: string }).apiId !== 'TOPIC_ALREADY_EXISTS') throw error
        })
      }
      return (await describe(true)).partitionsCount
    },
    async produce(partition, records) {
      const messages = records.map(({ value, header }) => {
        return { topic, partition, value, headers: new Map([[Buffer.from(RECORD_HEADER), header]]) }
      })
      const { offsets } = await producer.send({ messages })
      return Number(offsets![0]!.offset)
    },
    async fetch(partition, offset, { bytesMax, waitMs }) {
      const found = await describe()
      const partitions = [
        {
          partition,
          currentLeaderEpoch: -1,
          fetchOffset: BigInt(offset),
          lastFetchedEpoch: -1,
          partitionMaxBytes: bytesMax,
        },
      ]
      const answer = await reader
        .fetch({
          node: found.partitions[partition]!.leader,
          topics: [{ topicId: found.id, partitions }],
          maxWaitTime: waitMs,
          minBytes: 1,
          maxBytes: bytesMax,
        })
        .catch(async (error: unknown) => {
          // Another broker may lead by now.
          await describe(true).catch(() => {})
          throw error
        })
      const part = answer.responses[0]?.partitions[0]
      if (part === undefined) throw new TidemarkError('E_LOG', `${topic}/${partition} gave no answer`)
      const records: FetchedRecord[] = []
      for (const batch of part.records ?? []) {
        // Bit 5: a control batch of a transaction, which is no data.
        if ((batch.attributes & 0x20) !== 0) continue
        for (const record of batch.records) {
          const at = Number(batch.firstOffset) + record.offsetDelta
          if (at < offset) continue
          const header = record.headers.find(([name]) => name?.toString('utf8') === RECORD_HEADER)?.[1]
          records.push({ offset: at, value: record.value ?? Buffer.alloc(0), header: header ?? null })
        }
      }
      return { records, offsets: { first: Number(part.logStartOffset), next: Number(part.highWatermark) } }
    },
    async offsets() {
      const [first, next] = await Promise.all([listOffsets(EARLIEST), listOffsets(LATEST)])
      const of = (partition: number): PartitionOffsets => {
        return { first: first.get(partition)!, next: next.get(partition)! }
      }
      return new Map([...next.keys()].map((partition) => [partition, of(partition)]))
    },
    async deleteBelow(partition, offset) {
      await admin.deleteRecords({
        topics: [{ name: topic, partitions: [{ partition, offset: BigInt(offset) }] }],
      })
    },
    async join(group, { assigned, lost }) {
      const consumer = new Consumer({
        ...options,
        groupId: groupOf(topic, group),
        sessionTimeout: SESSION_MS,
        rebalanceTimeout: SESSION_MS,
        heartbeatInterval: SESSION_MS / 5,
        heartbeatStallTimeout: 2 * SESSION_MS,
      })
      consumer.topics.track(topic)
      consumer.on('consumer:group:join', ({ assignments }: ConsumerGroupJoinPayload) => {
        const mine = (assignments ?? []).filter((one) => one.topic === topic)
        assigned(mine.flatMap(({ partitions }) => partitions).sort((a, b) => a - b))
      })
      // One that did not get in again sends no more heartbeats.
      consumer.on('consumer:heartbeat:stalled', () => lost('the group does not answer'))
      consumer.on('error', (error: Error) => lost(error.message))
      try {
        await consumer.joinGroup({})
      } catch (error) {
        await consumer.close(true).catch(() => {})
        throw error
      }
      return { leave: () => consumer.close(true) }
    },
    async close() {
      await Promise.all([producer.close(), reader.close(true), admin.close()])
    },
  })
}

/** The client, whose errors tell what went wrong: its own gather those of tries and brokers, and themselves say nothing. */
function telling(client: KafkaClient): KafkaClient {
  const methods = Object.entries(client).map(([name, method]) => {
    const call = method as (...args: unknown[]) => Promise<unknown>
    const telling = (...args: unknown[]) =>
      call(...args).catch((error: unknown) => {
        throw innermost(error)
      })
    return [name, telling]
  })
  return Object.fromEntries(methods) as KafkaClient
}

function innermost(error: unknown): unknown {
  const { errors, cause } = error as { errors?: readonly unknown[]; cause?: unknown }
  const inner = errors?.[0] ?? cause
  return inner === undefined ? error : innermost(inner)
}
