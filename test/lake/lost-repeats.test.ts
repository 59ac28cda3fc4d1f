import { expect, test } from 'vitest'
import { MemoryStore } from '../../lake/store/memory.ts'
import { LOST, RepeatStates } from '../../lake/tables/repeat-states.ts'
import { openKafkaLog } from '../../log/kafka/kafka-log.ts'
import { Repeats } from '../../log/repeats.ts'
import { HOUR_MS } from '../../schemas/time.ts'
import { definitionHash } from '../../schemas/view.ts'
import { serviceMinute } from '../../schemas/views/service-minute.ts'
import { Chain } from '../../speed/chain.ts'
import { MemoryTopic } from '../log/kafka/memory-topic.ts'
import { encodeBlock } from '../sim/blocks.ts'
import { SimClock } from '../sim/clock.ts'
import { hostColumns } from '../sim/messages.ts'
import { simRandom } from '../sim/random.ts'

const NOW_MS = 100 * HOUR_MS
const BLOCKS = 8
/** The log begins behind this position: what stood before cannot be read again. */
const TRIMMED = 3

async function rig() {
  const clock = new SimClock(NOW_MS)
  const store = new MemoryStore(clock)
  const topic = new MemoryTopic()
  const lines: string[] = []
  const logLine = (line: string) => void lines.push(line)
  const spec = { partitions: 1, replication: 1, minInsync: 1, flush: false }
  const log = await openKafkaLog(spec, { client: topic, clock, random: simRandom(1), logLine })
  const repeats = new Repeats()
  const whole: Repeats[] = []
  for (let seq = 1; seq <= BLOCKS; seq++) {
    const message = { service: 's', host: 'h', timeMs: NOW_MS, gauges: [1, 2, 3], agent: 'a', seq }
    await log.append(0, encodeBlock(hostColumns([message])))
  }
  for (const block of (await log.read(0, -1, BLOCKS)).blocks) {
    repeats.accept(block)
    whole.push(repeats.copy())
  }
  await log.trim({ 0: TRIMMED })
  return { log, lines, whole, states: new RepeatStates({ store, clock, logLine }) }
}

test('what is read behind a loss of what was known of repeats is a gap, also by whoever goes on from there', async () => {
  const { log, lines, states } = await rig()
  const begun = await states.begin(log, { partition: 0, position: 5 }, NOW_MS)
  expect(begun.gaps).toMatchObject([{ partition: 0, from: 5, to: BLOCKS - 1, reason: LOST }])
  expect(begun.repeats.state).toMatchObject({ isWhole: false, isBegunAnew: true })
  expect(lines).toHaveLength(1)

  await states.keep('speed', { partition: 0, position: 6 }, begun.repeats)
  const next = await states.begin(log, { partition: 0, position: 6 }, NOW_MS)
  expect(next.gaps).toMatchObject([{ from: 6, to: BLOCKS - 1, reason: LOST }])
  expect(next.repeats.state.isBegunAnew).toBe(true)
  expect(lines).toHaveLength(1)
})

test('it ends with what another reader kept', async () => {
  const { log, lines, states, whole } = await rig()
  const begun = await states.begin(log, { partition: 0, position: 5 }, NOW_MS)
  await states.keep('speed', { partition: 0, position: 6 }, begun.repeats)
  expect(await states.found(log, { partition: 0, position: 6 })).toBeNull()
  await states.keep('lake-writer', { partition: 0, position: 4 }, whole[4]!)
  const found = await states.found(log, { partition: 0, position: 6 })
  expect(found?.state.isBegunAnew).toBe(false)
  expect(found?.state.agents.get('a')?.seq).toBe(7)
  const next = await states.begin(log, { partition: 0, position: 6 }, NOW_MS)
  expect(next.gaps).toEqual([])
  expect(lines).toHaveLength(1)
})

test('every tick of such a fold is a gap, until it knows again', () => {
  const chain = new Chain(serviceMinute, definitionHash(serviceMinute), 0, 5, NOW_MS)
  chain.repeats = new Repeats()
  chain.repeats.begunAnew()
  chain.advance([], 7, NOW_MS + 1)
  chain.advance([], 9, NOW_MS + 2)
  const gap = { partition: 0, from: 5, to: 9, fromMs: NOW_MS, toMs: NOW_MS + 2, reason: LOST }
  expect(chain.freeze()?.gaps).toEqual([gap])
  chain.committed(9)
  chain.advance([], 10, NOW_MS + 3)
  expect(chain.freeze()?.gaps).toEqual([{ ...gap, from: 9, to: 10, fromMs: NOW_MS + 2, toMs: NOW_MS + 3 }])
  chain.committed(10)
  chain.repeats = new Repeats()
  chain.advance([], 11, NOW_MS + 4)
  expect(chain.freeze()?.gaps).toEqual([])
})
