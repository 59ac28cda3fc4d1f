import { crc32 } from 'node:zlib'
import { expect, test } from 'vitest'
import { MemoryStore } from '../../../lake/store/memory.ts'
import { RepeatStates } from '../../../lake/tables/repeat-states.ts'
import { GivenLog } from '../../../log/kafka/given-log.ts'
import { openKafkaLog } from '../../../log/kafka/kafka-log.ts'
import { Repeats } from '../../../log/repeats.ts'
import { encodeRepeats } from '../../../log/repeats-codec.ts'
import { encodeBlock } from '../../sim/blocks.ts'
import { SimClock } from '../../sim/clock.ts'
import { hostColumns } from '../../sim/messages.ts'
import { simRandom } from '../../sim/random.ts'
import { MemoryTopic } from './memory-topic.ts'

/** While a deployment is upgraded a process may read what one of a newer release wrote: it says so, and skips nothing. */

const NOW_MS = 1_800_000_000_000

async function rig() {
  const clock = new SimClock(NOW_MS)
  const topic = new MemoryTopic()
  const deps = { client: topic, clock, random: simRandom(1), logLine: () => {} }
  const log = await openKafkaLog({ partitions: 1, replication: 1, minInsync: 1, flush: false }, deps)
  for (let seq = 1; seq <= 4; seq++) {
    const message = { service: 's', host: 'h', timeMs: NOW_MS, gauges: [1, 2, 3], agent: 'a', seq }
    await log.append(0, encodeBlock(hostColumns([message])))
  }
  return { clock, topic, log }
}

/** Makes a record one of a later format, which may have any length behind its version. */
function raise(topic: MemoryTopic, at: number): void {
  const { value } = topic.stored[at]!
  topic.stored[at] = { value, header: Buffer.from([2, 1, 2, 3]) }
}

test('blocks of a newer release are not passed over: those before them are read, then it is refused', async () => {
  const { log, topic } = await rig()
  raise(topic, 2)
  const slice = await log.read(0, -1, 10)
  expect(slice.blocks.map(({ offset }) => offset)).toEqual([0, 1])
  expect([slice.to, slice.gaps]).toEqual([1, []])
  await expect(log.read(0, 1, 10)).rejects.toMatchObject({
    code: 'E_NEWER',
    message: 'block 2 of partition 0 is of format 2, this release reads 1',
  })
  const given = new GivenLog(log, 0)
  const records = topic.stored.map((record, offset) => ({ ...record, offset }))
  expect(() => given.give(records)).toThrow('of format 2')
})

test('what no release wrote is a gap, as ever', async () => {
  const { log, topic } = await rig()
  topic.stored[2] = { value: topic.stored[2]!.value, header: Buffer.from([0, 1, 2]) }
  const { blocks, gaps } = await log.read(0, -1, 10)
  expect(blocks.map(({ offset }) => offset)).toEqual([0, 1, 3])
  expect(gaps).toMatchObject([{ from: 1, to: 2 }])
})

test('what a newer release keeps of repeats is made again where the log reaches back, and else not guessed', async () => {
  const { clock, log } = await rig()
  const store = new MemoryStore(clock)
  const states = new RepeatStates({ store, clock, logLine: () => {} })
  const name = { partition: 0, position: 2 }
  const bytes = Buffer.from(encodeRepeats(name, new Repeats().state))
  bytes.writeUInt32LE(2, 8)
  bytes.writeUInt32LE(crc32(bytes.subarray(0, 20)), 20)
  await store.put(`repeats/0/${'2'.padStart(16, '0')}.speed`, bytes)
  const { gaps, repeats } = await states.begin(log, name, NOW_MS)
  expect([gaps, repeats.state.agents.get('a')?.seq]).toEqual([[], 3])
  await log.trim({ 0: 1 })
  await expect(states.begin(log, name, NOW_MS)).rejects.toMatchObject({
    code: 'E_NEWER',
    message: expect.stringMatching(/^repeats\/0\/0+2\.speed: it is of format 2, this release reads 1$/),
  })
})
