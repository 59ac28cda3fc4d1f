import { expect, test } from 'vitest'
import { partitionOf } from '../../log/partitions.ts'
import { messageAt } from '../../schemas/message.ts'
import { SimLog } from '../sim/log.ts'
import { message, Rig } from './rig.ts'

const PARTITIONS = [0, 1, 2]

async function startRig(): Promise<Rig> {
  const rig = new Rig(1, new SimLog(PARTITIONS))
  await rig.restart({ blockMessages: 4 })
  return rig
}

/** Per partition, the messages in it as `agent seq`. */
function numbered(log: SimLog): Map<number, string[]> {
  const all = new Map(PARTITIONS.map((partition) => [partition, [] as string[]]))
  for (const { partition, messages } of log.blocks) {
    for (let i = 0; i < messages.length; i++) {
      const { agent, seq } = messageAt(messages, i)
      all.get(partition)!.push(`${agent} ${seq}`)
    }
  }
  return all
}

test('every collector sends an agent to the same partition, known once and for all', () => {
  expect(['a', 'b', 'c', 'é', '6f1d'].map((agent) => partitionOf(agent, [0, 1, 2, 3]))).toEqual([
    3, 1, 3, 2, 0,
  ])
  expect(partitionOf('a', [7])).toBe(7)
})

test('agents spread over all partitions', () => {
  const counts = [0, 0, 0, 0]
  for (let i = 0; i < 4_000; i++) counts[partitionOf(`agent-${i}`, [0, 1, 2, 3])]! += 1
  for (const count of counts) expect(count).toBeGreaterThan(800)
})

test('the messages of an agent stand in its partition in their order, blocks are shared within it', async () => {
  const rig = await startRig()
  const agents = ['a', 'b', 'c', 'd', 'e', 'f']
  const clients = await Promise.all(agents.map((agent) => rig.hello(agent)))
  for (let seq = 1; seq <= 10; seq++) for (const client of clients) client.send(message(seq, seq))
  await rig.run(500)
  for (const client of clients) expect(client.acks.at(-1)).toBe(10)
  const held = numbered(rig.log)
  for (const agent of agents) {
    const own = held.get(partitionOf(agent, PARTITIONS))!.filter((one) => one.startsWith(`${agent} `))
    expect(own).toEqual(Array.from({ length: 10 }, (_, i) => `${agent} ${i + 1}`))
  }
  const shared = rig.log.blocks.filter(
    ({ messages }) =>
      new Set(Array.from({ length: messages.length }, (_, i) => messageAt(messages, i).agent)).size > 1,
  )
  expect(shared.length).toBeGreaterThan(0)
  await rig.collector.close()
})

test('lines without numbers go to the partition of their connection, and connections take turns', async () => {
  const rig = await startRig()
  for (let c = 0; c < PARTITIONS.length; c++) {
    const client = await rig.connect()
    for (let i = 0; i < 8; i++) client.send(message(10 * c + i))
    await rig.run()
    expect(client.acks.at(-1)).toBe(8)
  }
  const cpusOf = (partition: number) =>
    rig.log.blocks
      .filter((block) => block.partition === partition)
      .flatMap(({ messages }) =>
        Array.from({ length: messages.length }, (_, i) => messageAt(messages, i).gauges[0]),
      )
  for (const p of PARTITIONS) expect(cpusOf(p)).toEqual(Array.from({ length: 8 }, (_, i) => 10 * p + i))
  await rig.collector.close()
})

test('a block of another dataset is appended first within the partition of the agent alone', async () => {
  const rig = await startRig()
  const [a, b] = [await rig.hello('a'), await rig.hello('b')]
  b.send(message(1, 1))
  a.send(message(2, 1), {
    dataset: 'scores',
    group: 'A',
    lunch: 'x',
    math: 3,
    reading: 3,
    student: 's',
    seq: 2,
  })
  await rig.run(0)
  // That of `a` went ahead of its next number; that of `b` waits for more.
  expect(rig.log.blocks.map(({ partition }) => partition)).toEqual([partitionOf('a', PARTITIONS)])
  await rig.run()
  expect(b.acks).toEqual([1])
  await rig.collector.close()
})
