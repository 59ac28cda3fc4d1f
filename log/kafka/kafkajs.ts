import { createRequire } from 'node:module'
import kafkajs, { type Consumer, type Producer, type SASLOptions } from 'kafkajs'
import { TidemarkError } from '../../schemas/errors.ts'
import type { Clock } from '../../schemas/ports/clock.ts'
import {
  type GroupMember,
  groupOf,
  type KafkaClient,
  type KafkaConnection,
  RECORD_HEADER,
  REQUEST_MS,
  SESSION_MS,
  topicConfigs,
} from './client.ts'
import { within } from './within.ts'

const { Kafka, logLevel, Partitioners } = kafkajs
const require = createRequire(import.meta.url)

/**
 * The parts of kafkajs 2.2.4 that read a partition from an offset: its public consumer reads only what a group assigned to it.
 * kafkajs no longer changes, and package.json names this version alone.
 */
interface Cluster extends Connection {
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
/** Longest call. kafkajs waits for ever for some answers of a broker that fell silent, so whatever took longer is given up. */
const CALL_MS = 2 * REQUEST_MS
/** A group from which nothing was heard for so long has no such member any more. */
const SILENCE_MS = 3 * SESSION_MS

/** Throws `E_LOG` when no broker can be reached. */
export function kafkajsClient({ brokers, topic, tls, sasl }: KafkaConnection, clock: Clock): KafkaClient {
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
  const admin = renewed(clock, () => connected(kafka.admin()))
  // A producer a partition: kafkajs loses acknowledged messages where two sends of one producer are under way.
  const producers = new Map<number, Renewed<Producer>>()
  const producerOf = (partition: number): Renewed<Producer> => {
    let producer = producers.get(partition)
    if (producer === undefined) {
      const options = { idempotent: true, maxInFlightRequests: 1, allowAutoTopicCreation: false }
      const createPartitioner = Partitioners.DefaultPartitioner
      producer = renewed(clock, () => connected(kafka.producer({ ...options, createPartitioner })))
      producers.set(partition, producer)
    }
    return producer
  }
  const reading = readingCluster(options, topic, clock)
  return {
    openTopic(spec) {
      return admin.use(async (admin) => {
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
      })
    },
    async produce(partition, records) {
      const messages = records.map(({ value, header }) => ({
        partition,
        value,
        headers: { [RECORD_HEADER]: header },
      }))
      const [result] = await producerOf(partition).use((producer) =>
        producer.send({ topic, acks: -1, timeout: REQUEST_MS, messages }),
      )
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
    async offsets() {
      const all = await admin.use((admin) => admin.fetchTopicOffsets(topic))
      return new Map(
        all.map(({ partition, low, high }) => [partition, { first: Number(low), next: Number(high) }]),
      )
    },
    async deleteBelow(partition, offset) {
      const partitions = [{ partition, offset: String(offset) }]
      await admin.use((admin) => admin.deleteTopicRecords({ topic, partitions }))
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
        // One that starts again by itself cannot be stopped meanwhile, and keeps partitions that nobody reads.
        retry: { ...RETRY, restartOnFailure: async () => false },
      })
      const ignore = watchMember(consumer, topic, member, clock)
      const leave = () => consumer.disconnect().finally(ignore)
      try {
        await consumer.connect()
        await consumer.subscribe({ topics: [topic] })
        // Until this ends, well or not, to disconnect would not keep it from becoming a member.
        await consumer.run({ autoCommit: false, eachBatch: async () => {} })
        return { leave }
      } catch (error) {
        await leave().catch(() => {})
        throw error
      }
    },
    async close() {
      const leaving = [admin, reading, ...producers.values()].map((one) => one.close())
      await within(clock, REQUEST_MS, Promise.all(leaving)).catch(() => {})
    },
  }
}

interface Connection {
  connect(): Promise<void>
  disconnect(): Promise<void>
}

const connected = async <T extends Connection>(made: T): Promise<T> => {
  await made.connect()
  return made
}

/** A connection that is made when somebody wants to use it. */
interface Renewed<T> {
  /** Fails where `ask` does, and after `CALL_MS`. Another connection then replaces the one that was used. */
  use<R>(ask: (connection: T) => Promise<R>): Promise<R>
  close(): Promise<void>
}

/**
 * One that lost its last broker does not always come back, another broker may lead by now, and a call that was given up may still
 * go on: after any failure everything is made anew.
 */
function renewed<T extends Connection>(clock: Clock, make: () => Promise<T>): Renewed<T> {
  let current: Promise<T> | null = null
  // To take leave of a broker that is gone may take for ever.
  const disconnect = (used: Promise<T>) => used.then((one) => one.disconnect()).catch(() => {})
  return {
    async use(ask) {
      current ??= make()
      const used = current
      try {
        return await within(clock, CALL_MS, used.then(ask))
      } catch (error) {
        if (current === used) current = null
        void disconnect(used)
        throw error
      }
    },
    async close() {
      if (current !== null) await disconnect(current)
    },
  }
}

/** The group hands out partitions; nothing is fetched through it. Returns what ends the watch over its silence. */
function watchMember(consumer: Consumer, topic: string, member: GroupMember, clock: Clock): () => void {
  let ignore = () => {}
  const heard = () => {
    ignore()
    ignore = clock.after(SILENCE_MS, () => member.lost('the group does not answer'))
  }
  consumer.on(consumer.events.HEARTBEAT, heard)
  consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
    heard()
    consumer.pause([{ topic }])
    member.assigned([...(payload.memberAssignment[topic] ?? [])].sort((a, b) => a - b))
  })
  consumer.on(consumer.events.CRASH, ({ payload }) => member.lost(payload.error.message))
  heard()
  return () => ignore()
}

function readingCluster(options: object, topic: string, clock: Clock) {
  const Cluster = require('kafkajs/src/cluster')
  const { createLogger } = require('kafkajs/src/loggers')
  const socketFactory = require('kafkajs/src/network/socketFactory')()
  const logger = createLogger({ level: logLevel.NOTHING, logCreator: () => () => {} })
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
  const cluster = renewed(clock, open)
  const ask = async (
    made: Cluster,
    partition: number,
    offset: number,
    { bytesMax, waitMs }: { bytesMax: number; waitMs: number },
  ): Promise<FetchedPartition> => {
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
  }
  return {
    fetch: (partition: number, offset: number, limits: { bytesMax: number; waitMs: number }) =>
      cluster.use((made) => ask(made, partition, offset, limits)),
    close: cluster.close,
  }
}
