import { randomBytes } from 'node:crypto'
import { nodeClock } from '../../../cli/host/clock.ts'
import { nodeRandom } from '../../../cli/host/random.ts'
import type { KafkaClient, KafkaConnection, TopicSpec } from '../../../log/kafka/client.ts'
import { type KafkaLog, openKafkaLog } from '../../../log/kafka/kafka-log.ts'
import { kafkajsClient } from '../../../log/kafka/kafkajs.ts'
import { platformaticClient } from '../../../log/kafka/platformatic.ts'

export const CLIENTS: { readonly [name: string]: (connection: KafkaConnection) => KafkaClient } = {
  kafkajs: (connection) => kafkajsClient(connection, nodeClock()),
  platformatic: platformaticClient,
}

export const SINGLE: TopicSpec = { partitions: 2, replication: 1, minInsync: 1, flush: true }

export const topicName = () => `t-${randomBytes(6).toString('hex')}`

/** Tries again, as a layer that starts does: a new topic may not be led yet. */
export async function openOn(
  name: string,
  brokers: readonly string[],
  topic: string,
  spec: TopicSpec = SINGLE,
): Promise<KafkaLog> {
  for (let tries = 1; ; tries++) {
    const client = CLIENTS[name]!({ brokers, topic })
    const deps = { client, clock: nodeClock(), random: nodeRandom(), logLine: () => {} }
    try {
      return await openKafkaLog(spec, deps)
    } catch (error) {
      if (tries === 5) throw error
      await new Promise((resolve) => setTimeout(resolve, 500))
    }
  }
}
