import { createRequire } from 'node:module'
import kafkajs, { type Consumer, type Producer, type SASLOptions } from 'kafkajs'
import { TidemarkError } from '../../schemas/errors.ts'
import {
  type GroupMember,
  groupOf,
  type KafkaClient,
  type KafkaConnection,
  type PartitionOffsets,
  RECORD_HEADER,
  REQUEST_MS,
  SESSION_MS,
  topicConfigs,
} from './client.ts'

const { Kafka, logLevel, Partitioners } = kafkajs
const require = createRequire(import.meta.url)

/**
 * The parts of kafkajs 2.2.4 that read a partition from an offset: its public consumer reads only what a group assigned to it.
 * kafkajs no longer changes, and package.json names this version alone.
 */
interface Cluster {
  connect(): Promise<void>
  disconnect(): Promise<void>
  addTargetTopic(topic: string): Promise<void>
  refreshMetadata(): Promise<void>
  refreshMetadataIfNecessary(): Promise<void>
  findLeaderForPartitions(topic: string, partitions: number[]): { [node: string]: number[] }
  findBroker(by: { nodeId: string }): Promise<Broker>
}

interface Broker {
  fetch(request: object): Promise<{
    responses: readonly { partitions: readonly FetchedPartition[] }[]
  }>
}

interface FetchedPartition {
  readonly highWatermark: string
  readonly lastStartOffset?: string
  readonly messages: readonly {
    offset: string
    value: Buffer | null
    headers?: { [name: string]: Buffer | Buffer[] }
    isControlRecord?: boolean
  }[]
}

/** Tries within one call; the log tries again whole groups. */
const RETRY = { retries: 5, initialRetryTime: 100, maxRetryTime: 1_000 }

/** Throws `E_LOG` when no broker can be reached. */
export function kafkajsClient({ brokers, topic, tls, sasl }: KafkaConnection): KafkaClient {
  const options = {
    clientId: 'tidemark',
    brokers: [...brokers],
    logLevel: logLevel.NOTHING,
    retry: RETRY,
    requestTimeout: REQUEST_MS,
    ...(tls && { ssl: tls.ca === undefined ? true : { ca: [tls.ca] } }),
    ...(sasl && { sasl: sasl as SASLOptions }),
  }
  const kafka = new Kafka(options)
  let admin = kafka.admin()
  let connected: Promise<void> | null = null
  const connect = () => {
    connected ??= admin.connect().catch((error: unknown) => {
      connected = null
      throw error
    })
    return connected
  }
  /** A client for administration that lost its last broker does not always come back: another takes its place. */
  const renewAdmin = () => {
    const old = admin
    admin = kafka.admin()
    connected = null
    void old.disconnect().catch(() => {})
  }
  // A producer a partition: kafkajs loses acknowledged messages where two sends of one producer are under way.
  const producers = new Map<number, Promise<Producer>>()
  const producerOf = (partition: number): Promise<Producer> => {
    let producer = producers.get(partition)
    if (producer === undefined) {
      const made = kafka.producer({
        idempotent: true,
        maxInFlightRequests: 1,
        allowAutoTopicCreation: false,
        createPartitioner: Partitioners.DefaultPartitioner,
      })
      producer = made.connect().then(() => made)
      producers.set(partition, producer)
      producer.catch(() => producers.delete(partition))
    }
    return producer
  }
  const reading = readingCluster(options, topic)
  const offsets = async (): Promise<Map<number, PartitionOffsets>> => {
    await connect()
    const all = await admin.fetchTopicOffsets(topic).catch((error: unknown) => {
      renewAdmin()
      throw error
    })
    return new Map(
      all.map(({ partition, low, high }) => [partition, { first: Number(low), next: Number(high) }]),
    )
  }

  return {
    async openTopic(spec) {
      await connect()
      const { partitions: numPartitions, replication: replicationFactor } = spec
      if (!(await admin.listTopics()).includes(topic)) {
        const configEntries = topicConfigs(spec)
        const topics = [{ topic, numPartitions, replicationFactor, configEntries }]
        await admin.createTopics({ waitForLeaders: true, topics }).catch((error: unknown) => {
          // It gathers what the brokers said, and itself says nothing.
          const [first] = (error as { errors?: unknown[] }).errors ?? []
          throw first ?? error
        })
      }
      const { topics } = await admin.fetchTopicMetadata({ topics: [topic] })
      return topics[0]!.partitions.length
    },
    async produce(partition, records) {
      const producer = await producerOf(partition)
      const messages = records.map(({ value, header }) => ({
        partition,
        value,
        headers: { [RECORD_HEADER]: header },
      }))
      const [result] = await producer.send({ topic, acks: -1, timeout: REQUEST_MS, messages })
      return Number(result!.baseOffset)
    },
    async fetch(partition, offset, limits) {
      const found = await reading.fetch(partition, offset, limits)
      const records = found.messages
        .filter((message) => Number(message.offset) >= offset && message.isControlRecord !== true)
        .map((message) => {
          const header = message.headers?.[RECORD_HEADER]
          return {
            offset: Number(message.offset),
            value: message.value ?? Buffer.alloc(0),
            header: Buffer.isBuffer(header) ? header : null,
          }
        })
      const first = Number(found.lastStartOffset ?? 0)
      return { records, offsets: { first, next: Number(found.highWatermark) } }
    },
    offsets,
    async deleteBelow(partition, offset) {
      await connect()
      await admin.deleteTopicRecords({ topic, partitions: [{ partition, offset: String(offset) }] })
    },
    async join(group, member) {
      const consumer = kafka.consumer({
        groupId: groupOf(topic, group),
        sessionTimeout: SESSION_MS,
        rebalanceTimeout: SESSION_MS,
        heartbeatInterval: SESSION_MS / 5,
        // With nothing to fetch it sleeps so long between two heartbeats.
        maxWaitTimeInMs: SESSION_MS / 5,
        allowAutoTopicCreation: false,
      })
      try {
        await joinPaused(consumer, topic, member)
      } catch (error) {
        await consumer.disconnect().catch(() => {})
        throw error
      }
      return { leave: () => consumer.disconnect() }
    },
    async close() {
      const made = await Promise.allSettled(producers.values())
      for (const one of made) if (one.status === 'fulfilled') await one.value.disconnect()
      await reading.close()
      await admin.disconnect()
    },
  }
}

/** The group hands out partitions; nothing is fetched through it. */
async function joinPaused(consumer: Consumer, topic: string, member: GroupMember): Promise<void> {
  consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
    consumer.pause([{ topic }])
    member.assigned([...(payload.memberAssignment[topic] ?? [])].sort((a, b) => a - b))
  })
  consumer.on(consumer.events.CRASH, ({ payload: { error, restart } }) => {
    if (!restart) member.lost(error.message)
  })
  await consumer.connect()
  await consumer.subscribe({ topics: [topic] })
  await consumer.run({ autoCommit: false, eachBatch: async () => {} })
}

function readingCluster(options: object, topic: string) {
  const Cluster = require('kafkajs/src/cluster')
  const { createLogger } = require('kafkajs/src/loggers')
  const socketFactory = require('kafkajs/src/network/socketFactory')()
  const logger = createLogger({ level: logLevel.NOTHING, logCreator: () => () => {} })
  let cluster: Promise<Cluster> | null = null
  const open = async (): Promise<Cluster> => {
    const made: Cluster = new Cluster({
      ...options,
      logger,
      socketFactory,
      connectionTimeout: REQUEST_MS,
      authenticationTimeout: REQUEST_MS,
      reauthenticationThreshold: REQUEST_MS,
      enforceRequestTimeout: true,
      allowAutoTopicCreation: false,
      metadataMaxAge: 60_000,
      maxInFlightRequests: null,
      isolationLevel: 0,
    })
    await made.connect()
    await made.addTargetTopic(topic)
    return made
  }
  const forget = async () => {
    const old = cluster
    cluster = null
    await old?.then((one) => one.disconnect()).catch(() => {})
  }
  return {
    async fetch(
      partition: number,
      offset: number,
      { bytesMax, waitMs }: { bytesMax: number; waitMs: number },
    ): Promise<FetchedPartition> {
      cluster ??= open()
      try {
        const made = await cluster
        await made.refreshMetadataIfNecessary()
        const [nodeId] = Object.keys(made.findLeaderForPartitions(topic, [partition]))
        if (nodeId === undefined) throw new TidemarkError('E_LOG', `nobody leads ${topic}/${partition}`)
        const broker = await made.findBroker({ nodeId })
        const partitions = [{ partition, fetchOffset: String(offset), maxBytes: bytesMax }]
        const answer = await broker.fetch({
          replicaId: -1,
          isolationLevel: 0,
          maxWaitTime: waitMs,
          minBytes: 1,
          maxBytes: bytesMax,
          topics: [{ topic, partitions }],
        })
        return answer.responses[0]!.partitions[0]!
      } catch (error) {
        // Another broker may lead by now: everything is looked up anew. To take leave of one that is gone may take for ever.
        void forget()
        throw error
      }
    },
    close: forget,
  }
}
