import { type Brokers, startBrokers } from '../../test/heavy/kafka/brokers.ts'
import { type LayerCosts, measureLayers } from './layers.ts'
import { type DayRequests, measureRequests } from './requests.ts'
import {
  measureCollectors,
  measureProducer,
  type ProducerFloor,
  recordBytes,
  type Throughput,
} from './throughput.ts'

/**
 * Layers in processes of their own over a log on Kafka: what collectors acknowledge as durable, what each layer costs for a
 * message, and what a day of the canonical fleet asks of a bucket. The floor is Kafka's own producer with records of the same
 * size. All of it, brokers and senders too, shares the cores of one machine.
 */
export interface Distributed {
  readonly size: DistributedSize
  readonly throughput: readonly Throughput[]
  readonly floors: readonly ProducerFloor[]
  readonly layers: LayerCosts
  readonly requests: DayRequests
}

export interface DistributedSize {
  readonly brokers: number
  readonly clients: readonly string[]
  /** Collectors and partitions. */
  readonly counts: readonly number[]
  readonly seconds: number
  /** Messages a second at which the layers are measured. */
  readonly rate: number
  readonly tickMs: number
  /** For so long a bucket's requests are counted; 0: not at all. */
  readonly requestSeconds: number
}

export async function benchDistributed(size: DistributedSize): Promise<Distributed> {
  await using brokers = await startBrokers(size.brokers)
  const throughput: Throughput[] = []
  const floors: ProducerFloor[] = []
  for (const count of size.counts) {
    const made = []
    for (const client of size.clients)
      made.push(await measureCollectors(brokers, { client, count, seconds: size.seconds }))
    throughput.push(...made)
    floors.push(await floorBeside(brokers, made[0]!.topic, count, size))
  }
  const { rate, seconds, tickMs } = size
  const layers = await measureLayers(brokers, {
    rate,
    seconds: Math.max(seconds, (3 * tickMs) / 1_000),
    tickMs,
  })
  const requests = await measureRequests(brokers, size.requestSeconds)
  return { size, throughput, floors, layers, requests }
}

/** The floor for as long as the collectors had, with records as large as theirs. */
async function floorBeside(brokers: Brokers, topic: string, count: number, { seconds }: DistributedSize) {
  const bytes = await recordBytes(brokers, topic)
  const about = await measureProducer(brokers, { count, recordBytes: bytes, records: 5_000 })
  const records = Math.max(5_000, Math.round(about.recordsPerSecond * seconds))
  return measureProducer(brokers, { count, recordBytes: bytes, records })
}
