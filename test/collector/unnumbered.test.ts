import { expect, test } from 'vitest'
import { cpus, message, NOW_MS, Rig } from './rig.ts'

test('a block is appended when it is full, or its first message has waited long enough', async () => {
  const rig = await Rig.start({ blockMessages: 2, lingerMs: 250 })
  const client = await rig.connect()
  client.send(message(1), message(2), message(3))
  await rig.run(0)
  expect(rig.log.blocks.map(({ messages }) => messages.length)).toEqual([2])
  await rig.run(249)
  expect(rig.log.blocks).toHaveLength(1)
  await rig.run(1)
  expect(rig.log.blocks.map(({ messages }) => messages.length)).toEqual([2, 1])
  expect(client.acks).toEqual([2, 3])
})

test('each block waits from its own first message', async () => {
  const rig = await Rig.start({ blockMessages: 2, lingerMs: 250 })
  const client = await rig.connect()
  client.send(message(1), message(2))
  await rig.run(200)
  client.send(message(3))
  await rig.run(249)
  expect(rig.log.blocks).toHaveLength(1)
  await rig.run(1)
  expect(rig.log.blocks).toHaveLength(2)
})

test('connections share the open block, and each is told of its own lines', async () => {
  const rig = await Rig.start({ blockMessages: 4 })
  const [a, b] = [await rig.connect(), await rig.connect()]
  a.send(message(1), message(2), message(3))
  b.send(message(4))
  await rig.run(0)
  expect(rig.log.blocks).toHaveLength(1)
  expect([a.acks, b.acks]).toEqual([[3], [1]])
})

test('nothing is acknowledged before it is durable', async () => {
  const rig = await Rig.start()
  const client = await rig.connect()
  rig.log.held = true
  client.send(message(1), message(2))
  await rig.run(10_000)
  expect(client.answers).toEqual([])
  rig.log.release()
  await rig.run()
  expect(client.answers).toEqual([{ ack: 2 }])
})

test('a block that the log refuses is never acknowledged: the connection breaks', async () => {
  const rig = await Rig.start()
  const client = await rig.connect()
  rig.log.failing = true
  client.send(message(1))
  await rig.run()
  expect([client.answers, client.ended, client.closed]).toEqual([[], false, 'connection reset'])
  expect(rig.lines).toEqual(['collector: a block was not stored: the log is closed (E_CLOSED)'])
})

test('defaults are filled in before the block is appended', async () => {
  const rig = await Rig.start()
  const client = await rig.connect()
  client.send(message(1), { ...message(2), host: 'web-1', time_stamp: NOW_MS - 5 })
  await rig.run()
  expect(rig.log.messages().map(({ names, timeMs }) => [names[1], timeMs])).toEqual([
    ['127.0.0.1', NOW_MS],
    ['web-1', NOW_MS - 5],
  ])
})

test('lines are found wherever the bytes break', async () => {
  const text = Buffer.from(`${JSON.stringify({ ...message(1), host: 'größe-😀' })}\n{"x":1}\n`)
  for (let at = 0; at <= text.length; at++) {
    const rig = await Rig.start({ lingerMs: 0 })
    const client = await rig.connect()
    client.socket.write(text.subarray(0, at))
    await rig.run(0)
    client.socket.write(text.subarray(at))
    await rig.run(0)
    expect([cpus(rig.log), client.codes, client.acks.at(-1)]).toEqual([[1], ['E_SERVICE'], 2])
    expect(rig.log.messages()[0]!.names[1]).toBe('größe-😀')
  }
})

test('a final line without newline counts when the sender closes its side in order', async () => {
  const rig = await Rig.start()
  const client = await rig.connect()
  client.socket.write(`${JSON.stringify(message(1))}\n${JSON.stringify(message(2))}`)
  client.socket.end()
  await rig.run(0)
  expect(cpus(rig.log)).toEqual([1, 2])
  expect([client.acks, client.ended, client.closed]).toEqual([[2], true, ''])
})

test('it does not count when the connection breaks; the whole lines before it do', async () => {
  const rig = await Rig.start()
  const client = await rig.connect()
  client.socket.write(`${JSON.stringify(message(1))}\n${JSON.stringify(message(2))}`)
  await rig.run(0)
  client.socket.destroy()
  await rig.run()
  expect(cpus(rig.log)).toEqual([1])
  expect(rig.collector.status().connections).toBe(0)
})

test('an empty connection is answered with nothing but its end', async () => {
  const rig = await Rig.start()
  const client = await rig.connect()
  client.socket.end()
  await rig.run(0)
  expect([client.answers, client.closed]).toEqual([[], ''])
})
