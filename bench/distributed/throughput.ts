import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { nodeClock } from '../../cli/host/clock.ts'
import { nodeRandom } from '../../cli/host/random.ts'
import { openKafkaLog } from '../../log/kafka/kafka-log.ts'
import { platformaticClient } from '../../log/kafka/platformatic.ts'
import { type Brokers, LIB } from '../../test/heavy/kafka/brokers.ts'
import { type LayerProcess, processesOn } from '../../test/heavy/kafka/processes.ts'
import { lastingPort } from '../../test/heavy/watch.ts'
import { send } from '../floor.ts'
import { median } from '../measure.ts'
import { usageOf } from '../process.ts'

/** Connections of all senders together. */
const CONNECTIONS = 4

/** What collectors with a client acknowledged. */
export interface Throughput {
  readonly client: string
  /** Collectors, and partitions of the topic. */
  readonly count: number
  readonly perSecond: number
  readonly ackP99Ms: number
  /** At half of that rate. */
  readonly halfP99Ms: number
  /** CPU of all collectors and of all brokers for a message, at the full rate; µs. */
  readonly collectorUs: number
  readonly brokerUs: number
}

/** What Kafka's own tool stores of records as large as the blocks. */
export interface ProducerFloor {
  readonly count: number
  readonly recordBytes: number
  readonly recordsPerSecond: number
  readonly p99Ms: number
}

/** Sends to `count` collectors over a topic of as many partitions: as fast as they take it, then at half of that. */
export async function measureCollectors(
  brokers: Brokers,
  { client, count, seconds }: { client: string; count: number; seconds: number },
): Promise<Throughput & { readonly topic: string }> {
  const topic = `bench-${client}-${count}`
  await using processes = await processesOn(brokers.addresses, { topic })
  const ports = await Promise.all(Array.from({ length: count }, () => lastingPort(Math.random)))
  const flags = ['--log-kafka-client', client, '--log-partitions', String(count)]
  // One after the other: the first makes the topic.
  const collectors: LayerProcess[] = []
  for (const [n, port] of ports.entries())
    collectors.push(
      await processes.start(
        `collector-${n}`,
        'collector',
        '--collector-listen',
        `127.0.0.1:${port}`,
        ...flags,
      ),
    )
  const cpuOf = async (pids: readonly number[]) =>
    (await Promise.all(pids.map(usageOf))).reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0)
  const cpu = async () => ({
    collectors: await cpuOf(collectors.map(({ child }) => child.pid!)),
    brokers: await cpuOf(brokers.pids()),
  })
  const sent = async (rate: number) => {
    const connections = Math.max(1, Math.round(CONNECTIONS / count))
    const all = await Promise.all(
      ports.map((port) => send({ port, connections, seconds, rate: rate / count, acks: 'messages' })),
    )
    const rates = Array.from({ length: seconds - 1 }, (_, i) =>
      all.reduce((sum, one) => sum + (one.perSecond[i + 1] ?? 0), 0),
    )
    return {
      perSecond: median(rates),
      acknowledged: all.reduce((sum, one) => sum + one.acknowledged, 0),
      p99Ms: Math.max(...all.map(({ latencyMs }) => latencyMs.p99)),
    }
  }
  const before = await cpu()
  const full = await sent(0)
  const after = await cpu()
  const half = await sent(full.perSecond / 2)
  const us = (part: 'collectors' | 'brokers') => ((after[part] - before[part]) / full.acknowledged) * 1e6
  return {
    ...{ client, count, topic, perSecond: full.perSecond, ackP99Ms: full.p99Ms, halfP99Ms: half.p99Ms },
    ...{ collectorUs: us('collectors'), brokerUs: us('brokers') },
  }
}

/** Bytes of a record of a topic, the mean of its first ones. */
export async function recordBytes(brokers: Brokers, topic: string): Promise<number> {
  const client = platformaticClient({ brokers: brokers.addresses, topic })
  const spec = { partitions: 1, replication: 1, minInsync: 1, flush: false }
  const deps = { client, clock: nodeClock(), random: nodeRandom(), logLine: () => {} }
  const log = await openKafkaLog(spec, deps)
  try {
    const partition = log.partitions().find((one) => log.end(one) >= 0) ?? 0
    const { blocks } = await log.read(partition, log.start(partition), 1_000)
    return Math.round(blocks.reduce((sum, { payload }) => sum + (payload?.length ?? 0), 0) / blocks.length)
  } finally {
    await log.close()
  }
}

/** Kafka's producer-performance tool, with acks=all, on a topic of its own. */
export async function measureProducer(
  brokers: Brokers,
  { count, recordBytes, records }: { count: number; recordBytes: number; records: number },
): Promise<ProducerFloor> {
  const topic = `bench-floor-${count}`
  const client = platformaticClient({ brokers: brokers.addresses, topic })
  const replication = brokers.addresses.length
  await client.openTopic({
    partitions: count,
    replication,
    minInsync: Math.min(2, replication),
    flush: replication === 1,
  })
  await client.close()
  const { stdout } = await promisify(execFile)('java', [
    ...['-Xmx256m', '-cp', `${LIB}/*`, 'org.apache.kafka.tools.ProducerPerformance'],
    ...['--topic', topic, '--bootstrap-server', brokers.addresses.join(',')],
    ...['--num-records', String(records), '--record-size', String(recordBytes), '--throughput', '-1'],
    ...['--command-property', 'acks=all', 'batch.size=1048576', 'linger.ms=0'],
  ])
  const [, rate, p99] =
    /([\d.]+) records\/sec[\s\S]* ([\d.]+) ms 99th/.exec(stdout.trim().split('\n').at(-1)!) ?? []
  if (rate === undefined) throw new Error(`producer-performance said ${stdout.slice(-500)}`)
  return { count, recordBytes, recordsPerSecond: Number(rate), p99Ms: Number(p99) }
}
