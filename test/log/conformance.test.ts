import { describe } from 'vitest'
import { nodeClock } from '../../cli/host/clock.ts'
import { openKafkaLog } from '../../log/kafka/kafka-log.ts'
import type { Log, LogReader } from '../../log/port.ts'
import { SimDisk } from '../sim/disk.ts'
import { simRandom } from '../sim/random.ts'
import { conforms } from './conformance.ts'
import { openOn } from './journal/samples.ts'
import { MemoryTopic } from './kafka/memory-topic.ts'

describe('the journal', () =>
  conforms(async () => {
    const disk = new SimDisk(1)
    const log = await openOn(disk)
    const opened: Log[] = [log]
    return {
      log,
      again: async (): Promise<LogReader> => {
        await log.close()
        const made = await openOn(disk)
        opened.push(made)
        return made
      },
      close: async () => {
        for (const one of opened) await one.close()
      },
    }
  }))

describe('a log on Kafka, over a topic in memory', () =>
  conforms(async () => {
    const client = new MemoryTopic()
    const deps = { client, clock: nodeClock(), random: simRandom(1), logLine: () => {} }
    const spec = { partitions: 1, replication: 1, minInsync: 1, flush: true }
    const [log, again] = [await openKafkaLog(spec, deps), await openKafkaLog(spec, deps)]
    return {
      log,
      again: async () => again,
      close: async () => {
        await log.close()
        await again.close()
      },
    }
  }))
