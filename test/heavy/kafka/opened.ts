import { randomBytes } from 'node:crypto'
import { nodeClock } from '../../../cli/host/clock.ts'
import { nodeRandom } from '../../../cli/host/random.ts'
import type { KafkaClient, KafkaConnection, TopicSpec } from '../../../log/kafka/client.ts'
import { type KafkaLog, openKafkaLog } from '../../../log/kafka/kafka-log.ts'
import { kafkajsClient } from '../../../log/kafka/kafkajs.ts'
import { platformaticClient } from '../../../log/kafka/platformatic.ts'
import type { LogReader } from '../../../log/port.ts'
import type { Block } from '../../../schemas/block.ts'

export const CLIENTS: { readonly [name: string]: (connection: KafkaConnection) => KafkaClient } = {
  kafkajs: kafkajsClient,
  platformatic: platformaticClient,
}

export const SINGLE: TopicSpec = { partitions: 2, replication: 1, minInsync: 1, flush: true }

export const topicName = () => `t-${randomBytes(6).toString('hex')}`

export function openOn(
  name: string,
  brokers: readonly string[],
  topic: string,
  spec: TopicSpec = SINGLE,
): Promise<KafkaLog> {
  const client = CLIENTS[name]!({ brokers, topic })
  return openKafkaLog(spec, { client, clock: nodeClock(), random: nodeRandom(), logLine: () => {} })
}

/** Every block kept of a partition. */
export async function blocksOf(log: LogReader, partition: number): Promise<Block[]> {
  const blocks: Block[] = []
  for (let after = log.start(partition); after < log.end(partition); ) {
    const slice = await log.read(partition, after, 100)
    if (slice.to <= after) throw new Error(`no progress after ${after}`)
    blocks.push(...slice.blocks)
    after = slice.to
  }
  return blocks
}
