/**
 * What the log asks of a Kafka client, for one topic. Two fit it: kafkajs.ts and platformatic.ts. Every call fails with the
 * client's own error when the brokers cannot be reached or refuse; the caller tries again.
 */
export interface KafkaClient {
  /** Makes the topic unless it exists, then returns how many partitions it has. What exists is left as it is. */
  openTopic(spec: TopicSpec): Promise<number>
  /**
   * Appends `records` to `partition` in their order, in one request, and resolves with the offset of the first once all in-sync
   * replicas have them (acks=all). One call a partition at a time; after one that failed comes the same group again, since it may
   * have been stored.
   */
  produce(partition: number, records: readonly ProducedRecord[]): Promise<number>
  /** Records of `partition` from `offset` on, up to about `bytesMax` but at least one; waits up to `waitMs` for the first. */
  fetch(partition: number, offset: number, limits: { bytesMax: number; waitMs: number }): Promise<Fetched>
  /** By partition. */
  offsets(): Promise<ReadonlyMap<number, PartitionOffsets>>
  /** Deletes the records of `partition` below `offset`. */
  deleteBelow(partition: number, offset: number): Promise<void>
  /**
   * Joins the consumer group `TOPIC.group`, which hands the partitions of the topic to its members. It is a hint: for a while
   * two members may have the same one. A process that joins hears of what comes by `member`. One that fails leaves nothing behind.
   */
  join(group: string, member: GroupMember): Promise<{ leave(): Promise<void> }>
  close(): Promise<void>
}

/** What a consumer group tells one of its members. */
export interface GroupMember {
  /** The partitions that it has now, ascending: told after each time that the group handed them out. */
  assigned(partitions: readonly number[]): void
  /** It is no member any more, and will not become one by itself: it must leave and join again. */
  lost(reason: string): void
}

export interface TopicSpec {
  readonly partitions: number
  readonly replication: number
  readonly minInsync: number
  /** Whether the broker syncs each group to disk before it acknowledges: what makes a single broker durable. */
  readonly flush: boolean
}

export interface ProducedRecord {
  readonly value: Buffer
  /** Of header `RECORD_HEADER`. */
  readonly header: Buffer
}

export interface FetchedRecord {
  readonly offset: number
  readonly value: Buffer
  /** Of header `RECORD_HEADER`; null when there is none. */
  readonly header: Buffer | null
}

export interface Fetched {
  readonly records: readonly FetchedRecord[]
  readonly offsets: PartitionOffsets
}

export interface PartitionOffsets {
  /** Of the first record kept. */
  readonly first: number
  /** That the next record will get. */
  readonly next: number
}

export interface KafkaConnection {
  /** `HOST:PORT` each. */
  readonly brokers: readonly string[]
  readonly topic: string
  /** Absent: no TLS. */
  readonly tls?: { readonly ca?: string }
  readonly sasl?: {
    readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512'
    readonly username: string
    readonly password: string
  }
}

/** The header in which a record carries what the log knows of its block (record.ts). */
export const RECORD_HEADER = 'tidemark'

/** Settings of the topic: nothing expires by itself, and a block of the largest kind fits. */
export function topicConfigs({ minInsync, flush }: TopicSpec): { name: string; value: string }[] {
  return [
    { name: 'cleanup.policy', value: 'delete' },
    { name: 'retention.ms', value: '-1' },
    { name: 'retention.bytes', value: '-1' },
    { name: 'min.insync.replicas', value: String(minInsync) },
    { name: 'max.message.bytes', value: String(RECORD_BYTES_MAX) },
    ...(flush ? [{ name: 'flush.messages', value: '1' }] : []),
  ]
}

/** The id of a consumer group at the brokers. */
export function groupOf(topic: string, group: string): string {
  return `${topic}.${group}`
}

/** Bytes of a group of records at most, as the topic is told. */
const RECORD_BYTES_MAX = 32 << 20
/** Longest wait for an answer of a broker. */
export const REQUEST_MS = 10_000
/** A member of a group that was silent for so long is taken for dead. */
export const SESSION_MS = 10_000
