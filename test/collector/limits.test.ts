import { expect, test } from 'vitest'
import {
  CLOSE_MS_MAX,
  GOODBYE_MS_MAX,
  PENDING_BYTES_MAX,
  REFUSED_CONNECTIONS_MAX,
} from '../../collector/intake/limits.ts'
import {
  ENDING_MS_MAX,
  HELLO_MS_MAX,
  LINE_MS_MAX,
  UNREAD_BYTES_MAX,
  UNSETTLED_LINES_MAX,
} from '../../collector/ndjson/line-limits.ts'
import { HOUR_MS } from '../../schemas/time.ts'
import { TestAccess } from '../sim/access.ts'
import { encodeBlock } from '../sim/blocks.ts'
import { hostColumns } from '../sim/messages.ts'
import { Client, cpus, message, Rig } from './rig.ts'

test('one connection too many is told so and closed; the others go on', async () => {
  const rig = await Rig.start({ connectionsMax: 1 })
  const first = await rig.connect()
  const second = await rig.connect()
  second.send(message(2))
  first.send(message(1))
  await rig.run()
  expect([second.codes, second.acks, second.closed]).toEqual([['E_CONNECTIONS'], [], ''])
  expect([first.acks, cpus(rig.log)]).toEqual([[1], [1]])
  first.socket.destroy()
  await rig.run()
  const third = await rig.connect()
  third.send(message(3))
  await rig.run()
  expect(third.acks).toEqual([1])
})

test('a flood of connections that never close is cut off', async () => {
  const rig = await Rig.start({ connectionsMax: 1 })
  for (let i = 0; i < REFUSED_CONNECTIONS_MAX + 50; i++)
    new Client(await rig.net.connect('127.0.0.1', rig.collector.port), { closesToo: false })
  await rig.run()
  expect(rig.collector.status().connections).toBe(1 + REFUSED_CONNECTIONS_MAX)
  await rig.run(ENDING_MS_MAX)
  expect(rig.collector.status().connections).toBe(1)
})

test('a silent connection is told so and closed', async () => {
  const rig = await Rig.start({ idleMs: 60_000 })
  const client = await rig.connect()
  await rig.run(30_000)
  client.send(message(1))
  await rig.run(59_000)
  expect(client.codes).toEqual([])
  await rig.run(1_000)
  expect(client.errors).toEqual([{ line: 1, code: 'E_IDLE', message: 'nothing came for 60 s' }])
  expect(client.closed).toBe('')
})

test('a clock that steps back keeps no silent connection, and closes none that speaks', async () => {
  const rig = await Rig.start({ idleMs: 60_000 })
  const silent = await rig.connect()
  const speaking = await rig.connect()
  await rig.run(50_000)
  speaking.send(message(1))
  rig.clock.step(-7_200_000)
  await rig.run(55_000)
  speaking.send(message(2))
  await rig.run(50_000)
  expect([silent.codes, silent.closed]).toEqual([['E_IDLE'], ''])
  expect([speaking.codes, speaking.closed]).toEqual([[], null])
})

test('whoever waits for an answer is not idle', async () => {
  const rig = await Rig.start({ idleMs: 60_000 })
  rig.log.held = true
  const client = await rig.connect()
  client.send(message(1))
  await rig.run(200_000)
  rig.log.release()
  await rig.run()
  expect([client.codes, client.acks]).toEqual([[], [1]])
})

test('whoever trickles half a line is not idle, and breaks off without a trace', async () => {
  const rig = await Rig.start({ idleMs: 20_000 })
  const client = await rig.connect()
  for (let i = 0; i < 5; i++) {
    client.socket.write('{')
    await rig.run(10_000)
  }
  expect([client.codes, client.closed]).toEqual([[], null])
  client.socket.destroy()
  await rig.run()
  expect([rig.log.blocks, rig.rejects()]).toEqual([[], []])
})

test('a line may take a minute, however it trickles; then the sender is told so and closed', async () => {
  const rig = await Rig.start()
  const slow = await rig.connect()
  const steady = await rig.connect()
  for (let s = 0; s < LINE_MS_MAX; s += 1_000) {
    expect(slow.codes).toEqual([])
    slow.socket.write(' ')
    // Each of its lines is finished in time, and the next begins in the same chunk.
    steady.socket.write(s % 40_000 === 0 ? `${JSON.stringify(message(1))}\n ` : ' ')
    await rig.run(1_000)
  }
  expect(slow.errors).toEqual([{ line: 0, code: 'E_SLOW', message: 'a line was not finished in 60 s' }])
  expect([slow.closed, steady.codes, steady.closed]).toEqual(['', [], null])
})

test('while the collector does not read, a line takes no time and nobody is idle', async () => {
  const rig = await Rig.start({ idleMs: 120_000 })
  const client = await rig.connect()
  client.send(message(1))
  client.socket.write('{"service":"web","cpu":2,')
  await rig.run()
  rig.log.pending = PENDING_BYTES_MAX + 1
  client.socket.write('"ram":2,')
  await rig.run(10 * LINE_MS_MAX)
  rig.log.pending = 0
  await rig.log.append(0, encodeBlock(hostColumns([])))
  await rig.run(LINE_MS_MAX - 1_000)
  client.socket.write('"disk":3}\n')
  await rig.run()
  expect([client.codes, client.acks]).toEqual([[], [1, 2]])
})

test('while too much waits to be durable a hello is heard, and nothing behind it', async () => {
  const rig = await Rig.start({}, 1, new TestAccess({ sends: 'agent' }))
  rig.log.pending = PENDING_BYTES_MAX + 1
  const client = await rig.connect()
  client.socket.write('{"hello":1,"agent"')
  await rig.run()
  client.socket.write(':"a","token":"sends"}\n')
  client.send({ ...message(1), seq: 1 })
  await rig.run(HELLO_MS_MAX)
  expect([client.answers, cpus(rig.log)]).toEqual([[{ welcome: 1, seq: 0 }], []])
  rig.log.pending = 0
  rig.log.changed()
  await rig.run()
  expect(client.acks).toEqual([1])
})

test('while too much waits to be durable a first line that is no hello waits too, however many come and go', async () => {
  const rig = await Rig.start()
  rig.log.pending = PENDING_BYTES_MAX + 1
  const gone = await rig.connect()
  gone.send(message(1))
  const wrong = await rig.connect()
  wrong.socket.write('{}\n')
  const ended = await rig.connect()
  ended.socket.write(JSON.stringify(message(2)))
  ended.socket.end()
  await rig.run()
  gone.socket.destroy()
  await rig.run()
  expect([cpus(rig.log), rig.rejects(), ended.acks]).toEqual([[], [], []])
  rig.log.pending = 0
  rig.log.changed()
  await rig.run()
  expect([cpus(rig.log), rig.rejects().length, wrong.codes, ended.acks]).toEqual([[2], 1, ['E_SERVICE'], [1]])
})

test('while too much waits to be durable, nothing is read', async () => {
  const rig = await Rig.start()
  const client = await rig.connect()
  client.send(message(1))
  await rig.run()
  rig.log.pending = PENDING_BYTES_MAX + 1
  client.send(message(2))
  await rig.run()
  for (let i = 3; i <= 9; i++) client.send(message(i))
  await rig.run()
  expect(cpus(rig.log).length).toBeLessThan(9)
  expect(client.socket.pendingBytes()).toBeGreaterThan(0)
  rig.log.pending = 0
  const other = await rig.connect()
  await rig.log.append(0, encodeBlock(hostColumns([])))
  await rig.run()
  expect([cpus(rig.log), client.acks.at(-1), other.codes]).toEqual([[1, 2, 3, 4, 5, 6, 7, 8, 9], 9, []])
})

test('a connection has so many unsettled lines and no more', async () => {
  const rig = await Rig.start()
  rig.log.held = true
  const client = await rig.connect()
  const line = Buffer.from(`${JSON.stringify(message(1))}\n`)
  const chunk = Buffer.concat(Array.from({ length: 1_000 }, () => line))
  for (let i = 0; i < 15; i++) {
    client.socket.write(chunk)
    await rig.run()
  }
  expect(client.socket.pendingBytes()).toBeGreaterThan(3_000 * line.length)
  rig.log.release()
  await rig.run()
  await rig.run()
  expect([client.acks.at(-1), rig.log.messages().length]).toEqual([15_000, 15_000])
  expect(UNSETTLED_LINES_MAX).toBe(10_000)
})

test('a client that does not read its answers is not read, and closed in the end', async () => {
  const rig = await Rig.start({ idleMs: 60_000 })
  const client = await rig.connect()
  client.socket.pause()
  const lines = '{}\n'.repeat(1_000)
  for (let i = 0; i < 30; i++) {
    client.socket.write(lines)
    await rig.run(10)
  }
  expect(client.socket.pendingBytes()).toBeGreaterThan(0)
  expect(rig.collector.status().refused * 100).toBeLessThan(2 * UNREAD_BYTES_MAX)
  await rig.run(120_000)
  expect(rig.collector.status().connections).toBe(0)
})

test('closing makes durable and acknowledges what was delivered, and leaves nothing behind', async () => {
  const rig = await Rig.start()
  const client = await rig.connect()
  const silent = await rig.connect()
  client.send(message(1), { x: 1 })
  await rig.run(0)
  await rig.collector.close()
  await rig.run(0)
  expect([cpus(rig.log), client.acks.at(-1), client.closed, silent.closed]).toEqual([[1], 2, '', ''])
  expect(rig.clock.pending).toBe(0)
  await expect(rig.connect()).rejects.toThrow('refused')
})

test('closing waits neither for a log that is stuck nor for a peer that stays', async () => {
  const rig = await Rig.start()
  rig.log.held = true
  const client = new Client(await rig.net.connect('127.0.0.1', rig.collector.port), { closesToo: false })
  client.send(message(1))
  await rig.run()
  const closed = rig.collector.close()
  client.send({ ...message(2), late: 1 })
  await rig.run(CLOSE_MS_MAX)
  expect([client.ended, rig.collector.status().ignoredFields]).toEqual([true, 0])
  await rig.run(GOODBYE_MS_MAX)
  await closed
  expect([client.acks, client.closed, rig.clock.pending]).toEqual([[], 'connection reset', 0])
})

test('an address that is taken is named', async () => {
  const rig = await Rig.start()
  await expect(rig.restart({ port: rig.collector.port })).rejects.toMatchObject({ code: 'E_LISTEN' })
})

test('so many services and no more, until one is not seen for a day', async () => {
  const rig = await Rig.start({ servicesMax: 2, hostsMax: 2 })
  const client = await rig.connect()
  const line = (service: string, host: string) => ({ service, host, cpu: 1, ram: 2, disk: 3 })
  client.send(line('a', 'h'), line('b', 'h'), line('c', 'h'), line('a', 'i'), line('b', 'j'))
  await rig.run()
  expect([client.codes, client.acks.at(-1)]).toEqual([['E_SERVICES_MAX', 'E_HOSTS_MAX'], 5])
  expect(client.errors[0]!.message).toBe('collector.services_max are known already, and "c" is none of them')
  // The names of blocks that are open when others are forgotten stay what they are.
  for (let hours = 0; hours < 26; hours++) {
    await rig.clock.advance(HOUR_MS)
    const other = await rig.connect()
    other.send(line('a', 'h'))
    await rig.run()
  }
  const last = await rig.connect()
  last.send(line('a', 'h'), line('c', 'j'), line('b', 'h'))
  await rig.run()
  expect(last.codes).toEqual(['E_SERVICES_MAX'])
  expect(rig.log.messages().slice(-2)).toMatchObject([{ names: ['a', 'h'] }, { names: ['c', 'j'] }])
})

test('while sealing is too far behind nothing is read, and the status says why', async () => {
  const rig = await Rig.start({ unsealedBytesMax: 1_000 })
  const client = await rig.connect()
  client.send(message(1))
  await rig.run()
  rig.log.uncovered = 1_001
  client.send(message(2))
  await rig.run()
  client.send(message(3))
  await rig.run()
  expect(cpus(rig.log).length).toBeLessThan(3)
  expect(rig.collector.status()).toMatchObject({
    state: 'waiting',
    reason: expect.stringMatching(/1001 bytes/),
  })
  rig.log.uncovered = 0
  rig.log.changed()
  await rig.run()
  expect([cpus(rig.log), rig.collector.status().state]).toEqual([[1, 2, 3], 'ok'])
})
