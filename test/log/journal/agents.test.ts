import { expect, test } from 'vitest'
import { BlockDecoder } from '../../../log/block-decoder.ts'
import { KnownAgents } from '../../../log/journal/known-agents.ts'
import { scanSegment } from '../../../log/journal/scan.ts'
import { encodeHead } from '../../../log/journal/segment-head.ts'
import { AGENT_KEPT_MS } from '../../../log/senders.ts'
import { host } from '../../../schemas/datasets/host.ts'
import { toColumns } from '../../../schemas/message.ts'
import { HOUR_MS } from '../../../schemas/time.ts'
import { encodeBlock } from '../../sim/blocks.ts'
import { SimClock } from '../../sim/clock.ts'
import { SimDisk } from '../../sim/disk.ts'
import { block, idOf, openOn, START_MS } from './samples.ts'

/** The longest id there can be: 128 characters of four bytes. */
const longId = (n: number) => '😀'.repeat(118) + String(n).padStart(10, '0')

/** A block of `count` agents from number `from`, one message each. */
function manyAgents(from: number, count: number): Uint8Array {
  const messages = Array.from({ length: count }, (_, i) => {
    return { names: ['web', 'h'], timeMs: START_MS, gauges: [1, 2, 3], agent: longId(from + i), seq: 1 }
  })
  return encodeBlock(toColumns(host, messages))
}

function known(count: number, bytesMax: number): KnownAgents {
  const agents = new KnownAgents(new BlockDecoder(), new Map(), bytesMax)
  for (let n = 0; n < count; n++) agents.add(block(`agent-${n}`, 1), n * HOUR_MS)
  return agents
}

test('agents unseen for 90 days are forgotten, others are not', () => {
  const agents = known(10, 1 << 20)
  agents.add(block('agent-0', 2), 100 * HOUR_MS)
  agents.forget(AGENT_KEPT_MS + 5 * HOUR_MS)
  const left = Array.from({ length: 10 }, (_, n) => agents.highestSeq(`agent-${n}`))
  expect(left).toEqual([2, 0, 0, 0, 0, 1, 1, 1, 1, 1])
})

test('more agents than a head may hold: those unseen for the longest are forgotten', () => {
  const bytesMax = 100 * (18 + 'agent-10'.length)
  const agents = known(100, bytesMax)
  for (const n of [0, 1, 2]) agents.add(block(`agent-${n}`, 2), 200 * HOUR_MS)
  for (let n = 100; n < 110; n++) agents.add(block(`agent-${n}`, 1), 201 * HOUR_MS)
  agents.forget(201 * HOUR_MS)
  expect([0, 1, 2, 3, 4, 99, 109].map((n) => agents.highestSeq(`agent-${n}`))).toEqual([2, 2, 2, 0, 0, 1, 1])
  const id = { partition: 0, firstOffset: 0, mark: '00000000' }
  expect(encodeHead(id, { logTimeMs: 0, agents: agents.states }).length).toBeLessThan(bytesMax)
})

test('10,000 agents with the longest ids: heads are a small part of what is written', async () => {
  const disk = new SimDisk(1)
  const log = await openOn(disk, { segmentBytesMax: 4 << 20 })
  for (let n = 0; n < 10_000; n += 500) await log.append(0, manyAgents(n, 500))
  const before = log.state()
  for (let i = 0; i < 20; i++) await log.append(0, block('a', 1 + i))
  const after = log.state()
  expect(after.bytes - before.bytes).toBeLessThan(200_000)
  expect(after.segments).toBe(before.segments)
  expect(log.senders.highestSeq(longId(9_999))).toBe(1)
  await log.close()
})

test('what a head may hold of agents is bounded in the journal too, over a restart', async () => {
  const disk = new SimDisk(1)
  const clock = new SimClock(START_MS)
  const options = { clock, segmentBytesMax: 20_000, agentsBytesMax: 50_000 }
  const log = await openOn(disk, options)
  for (let n = 0; n < 1_000; n += 10) {
    await log.append(0, manyAgents(n, 10))
    await clock.advance(HOUR_MS)
  }
  await log.close()
  const again = await openOn(disk, options)
  expect([longId(0), longId(999)].map((id) => again.senders.highestSeq(id))).toEqual([0, 1])
  const heads = disk
    .paths()
    .filter((path) => path.endsWith('.journal'))
    .map((path) => scanSegment(Buffer.from(disk.bytesOf(path)), idOf(path)).headBytes)
  expect(heads.length).toBeGreaterThan(2)
  expect(Math.max(...heads)).toBeLessThan(51_000)
  await again.close()
})
