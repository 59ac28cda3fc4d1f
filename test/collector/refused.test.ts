import { expect, test } from 'vitest'
import { REJECTS_BYTES_MAX } from '../../collector/intake/limits.ts'
import { LINE_BYTES_MAX, LONG_LINE_KEPT_BYTES } from '../../collector/ndjson/line-limits.ts'
import { TidemarkError } from '../../schemas/errors.ts'
import { cpus, message, Rig } from './rig.ts'

const BAD = [
  ['E_UTF8', null, Buffer.from([0x7b, 0xff, 0x7d])],
  ['E_JSON', null, Buffer.from('')],
  ['E_JSON', null, Buffer.from('GET / HTTP/1.1\r')],
  ['E_JSON', null, Buffer.from('[1]')],
  ['E_LINE_TOO_LONG', null, Buffer.alloc(LINE_BYTES_MAX + 1, 0x20)],
  ['E_SERVICE', 'service', Buffer.from('{"cpu":1,"ram":2,"disk":3}')],
  ['E_HOST', 'host', Buffer.from('{"service":"web","host":"","cpu":1,"ram":2,"disk":3}')],
  ['E_TIME', 'time_stamp', Buffer.from('{"service":"web","time_stamp":1,"cpu":1,"ram":2,"disk":3}')],
  ['E_GAUGE', 'ram', Buffer.from('{"service":"web","cpu":1,"ram":-2,"disk":3}')],
  ['E_HELLO', null, Buffer.from('{"hello":1,"agent":"late"}')],
] as const

test.each(BAD)('%s (%s): kept, refused, and the lines around it count', async (code, field, line) => {
  const rig = await Rig.start()
  const client = await rig.connect()
  client.send(message(1))
  client.socket.write(Buffer.concat([line, Buffer.from('\n')]))
  client.send(message(3))
  await rig.run()
  const [error] = client.errors
  expect(error).toEqual({
    line: 2,
    code,
    ...(field === null ? {} : { field }),
    message: expect.any(String),
  })
  expect(cpus(rig.log)).toEqual([1, 3])
  expect(client.acks.at(-1)).toBe(3)
  const [kept] = rig.rejects()
  const raw =
    typeof kept!.raw === 'string' ? Buffer.from(kept!.raw) : Buffer.from(`${kept!.raw_base64}`, 'base64')
  expect(kept).toMatchObject({
    remote: '127.0.0.1',
    agent: null,
    line: 2,
    code,
    field,
    reason: error!.message,
  })
  expect(raw).toEqual(line.subarray(0, line.length > LINE_BYTES_MAX ? LONG_LINE_KEPT_BYTES : LINE_BYTES_MAX))
  expect(rig.collector.status()).toMatchObject({ accepted: 2, refused: 1, unkeptRejects: 0 })
})

test('the error line has the form that senders rely on', async () => {
  const rig = await Rig.start()
  const client = await rig.connect()
  client.send(message(1), message(2), { ...message(3), cpu: 'abc' })
  await rig.run(0)
  expect(client.answers).toContainEqual({
    error: {
      line: 3,
      code: 'E_GAUGE',
      field: 'cpu',
      message: 'cpu must be a finite number from 0 to 1e15, not "abc"',
    },
  })
})

test('a line is refused only after it is durable in rejects', async () => {
  const rig = await Rig.start()
  const client = await rig.connect()
  const slow = Promise.withResolvers<void>()
  const makeDir = rig.disk.makeDir.bind(rig.disk)
  rig.disk.makeDir = (dir) => slow.promise.then(() => makeDir(dir))
  client.send({ x: 1 })
  await rig.run()
  expect(client.answers).toEqual([])
  slow.resolve()
  await rig.run()
  expect(client.codes).toEqual(['E_SERVICE'])
  rig.disk.crash('power')
  expect(rig.rejects()).toHaveLength(1)
})

test('the longest line is a message; of longer ones nothing but a beginning is held', async () => {
  const rig = await Rig.start()
  const client = await rig.connect()
  const json = JSON.stringify(message(1))
  client.socket.write(`${json.padEnd(LINE_BYTES_MAX)}\n`)
  for (let i = 0; i < 30; i++) client.socket.write(Buffer.alloc(100_000, 0x61))
  client.socket.write('\n')
  client.send(message(2))
  await rig.run()
  expect([cpus(rig.log), client.codes, client.acks.at(-1)]).toEqual([[1, 2], ['E_LINE_TOO_LONG'], 3])
  expect(rig.rejects()[0]!.raw).toBe('a'.repeat(LONG_LINE_KEPT_BYTES))
})

test('a disk that fails does not stop refusals: they are counted, and said once', async () => {
  const rig = await Rig.start()
  const client = await rig.connect()
  rig.disk.fault = (what, path) => {
    if (what === 'write') throw new TidemarkError('E_DISK', `${path}: input/output error`)
  }
  client.send({ x: 1 })
  await rig.run()
  client.send({ x: 2 }, message(3))
  await rig.run()
  expect([client.codes, client.acks.at(-1), cpus(rig.log)]).toEqual([['E_SERVICE', 'E_SERVICE'], 3, [3]])
  expect(rig.collector.status().unkeptRejects).toBe(2)
  expect(rig.lines).toHaveLength(1)
  rig.disk.fault = null
  client.send({ x: 4 })
  await rig.run()
  expect(rig.rejects().map(({ raw }) => raw)).toEqual(['{"x":4}'])
})

test('what a full disk cut off does not spoil the lines after it', async () => {
  const rig = await Rig.start()
  const client = await rig.connect()
  rig.disk.capacityBytes = 50
  client.send({ x: 1 })
  await rig.run()
  rig.disk.capacityBytes = Number.POSITIVE_INFINITY
  client.send({ x: 2 })
  await rig.run()
  const [torn, whole] = Buffer.from(rig.disk.bytesOf(rig.disk.paths()[0]!)).toString().split('\n')
  expect(torn).toHaveLength(50)
  expect(JSON.parse(whole!)).toMatchObject({ raw: '{"x":2}' })
})

test('a file that a dead process left without a durable name keeps its lines', async () => {
  const rig = await Rig.start()
  rig.disk.fault = (what) => {
    if (what === 'sync') throw new TidemarkError('E_DISK', 'sync failed')
  }
  const first = await rig.connect()
  first.send({ x: 1 })
  await rig.run()
  rig.disk.fault = null
  await rig.restart()
  const second = await rig.connect()
  second.send({ x: 2 })
  await rig.run()
  rig.disk.crash('power')
  expect(rig.rejects().at(-1)).toMatchObject({ raw: '{"x":2}' })
})

test('a full folder of rejects is not added to', async () => {
  const rig = await Rig.start()
  rig.disk.put('/data/rejects/2026-01-01.ndjson', new Uint8Array(REJECTS_BYTES_MAX))
  const client = await rig.connect()
  client.send({ x: 1 })
  await rig.run()
  expect([client.codes, rig.collector.status().unkeptRejects]).toEqual([['E_SERVICE'], 1])
  expect(rig.disk.paths()).toEqual(['/data/rejects/2026-01-01.ndjson'])
})

test('what a failed write left in the folder of rejects counts', async () => {
  const rig = await Rig.start()
  rig.disk.put('/data/rejects/2026-01-01.ndjson', new Uint8Array(REJECTS_BYTES_MAX - 1_000))
  const client = await rig.connect()
  rig.disk.capacityBytes = rig.disk.usedBytes() + 400
  client.send({ x: 'a'.repeat(400) })
  await rig.run()
  rig.disk.capacityBytes = Number.POSITIVE_INFINITY
  client.send({ x: 'b'.repeat(500) })
  await rig.run()
  expect(rig.collector.status().unkeptRejects).toBe(2)
})

test('a file of rejects holds the lines of one UTC date', async () => {
  const rig = await Rig.start({ idleMs: 24 * 3_600_000 })
  const client = await rig.connect()
  for (let hour = 10; hour < 26; hour += 15) {
    client.send({ x: hour })
    await rig.run(15 * 3_600_000)
  }
  expect(rig.disk.paths()).toEqual(['/data/rejects/2026-11-22.ndjson', '/data/rejects/2026-11-23.ndjson'])
})
