import { expect, test } from 'vitest'
import { LINE_BYTES_MAX } from '../../collector/ndjson/line-limits.ts'
import { TestAccess } from '../sim/access.ts'
import { cpus, message, Rig } from './rig.ts'

const GOOD = `${JSON.stringify(message(1))}\n`
const HELLO = '{"hello":1,"agent":"a"}\n'

/** What a browser sends for a page that wants to write here. */
const POST = `POST / HTTP/1.1\r\nHost: 127.0.0.1:7070\r\nContent-Type: text/plain\r\n\r\n`

test.each([
  `${POST}${GOOD}`,
  `GET /?${'x'.repeat(100)} HTTP/1.1\r\n\r\n${GOOD}`,
  `GET \n${GOOD}`,
  `OPTIONS * HTTP/1.0\n${GOOD}`,
  `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n${GOOD}`,
  `mkcol /a HTTP/1.1\n${GOOD}`,
  `POST /${'x'.repeat(LINE_BYTES_MAX)} HTTP/1.1\r\n\r\n${GOOD}`,
  `${POST}${HELLO}${JSON.stringify(message(1, 1))}\n`,
])('a peer that speaks HTTP is told so and closed, and nothing that it sent is taken (%#)', async (text) => {
  const rig = await Rig.start()
  const client = await rig.connect()
  client.socket.write(text)
  client.socket.end()
  await rig.run()
  expect(client.errors).toEqual([
    { line: 1, code: 'E_PROTOCOL', message: expect.stringMatching(/speaks HTTP.*lines of JSON/) },
  ])
  expect([client.acks, client.closed, cpus(rig.log), rig.rejects()]).toEqual([[], '', [], []])
  expect(rig.collector.status()).toMatchObject({ accepted: 0, refused: 0 })
})

test('nor when it comes in small pieces, or without an end of the line', async () => {
  const rig = await Rig.start()
  const client = await rig.connect()
  for (const byte of `${POST}${GOOD}`) client.socket.write(byte)
  const other = await rig.connect()
  other.socket.write('GET /')
  other.socket.end()
  await rig.run()
  expect([client.codes, other.codes, cpus(rig.log)]).toEqual([['E_PROTOCOL'], ['E_PROTOCOL'], []])
})

test('it is not made to wait for the log', async () => {
  const rig = await Rig.start({ unsealedBytesMax: 1_000 })
  rig.log.uncovered = 1_001
  const client = await rig.connect()
  client.socket.write(`${POST}${GOOD}`)
  await rig.run()
  expect([client.codes, client.closed]).toEqual([['E_PROTOCOL'], ''])
})

test('where a token is needed it is told the same', async () => {
  const rig = await Rig.start({}, 1, new TestAccess({ sends: 'agent' }))
  const client = await rig.connect()
  client.socket.write(POST)
  await rig.run()
  expect(client.codes).toEqual(['E_PROTOCOL'])
})

test.each([
  ['TLS', [0x16, 0x03, 0x01, 0x02, 0x00, 0x0a], 'E_TLS'],
  ['TLS, in its old form', [0x80, 0x2e, 0x01, 0x03, 0x01, 0x0a], 'E_PROTOCOL'],
  ['STUN, whose attributes a page can choose', [0x00, 0x01, 0x00, 0x08, 0x21, 0x12, 0x0a], 'E_PROTOCOL'],
  ['SOCKS', [0x05, 0x01, 0x00, 0x0a], 'E_PROTOCOL'],
])('nor is anything taken from a peer that speaks %s', async (_, bytes, code) => {
  const rig = await Rig.start()
  const client = await rig.connect()
  client.socket.write(Buffer.concat([Buffer.from(bytes), Buffer.from(GOOD)]))
  await rig.run()
  expect([client.codes, client.closed, cpus(rig.log), rig.rejects()]).toEqual([[code], '', [], []])
})

test.each(['', ' ', 'hello', '\t{}', '\ufeff{}', '[]', 'ä', 'get', 'GETTING', 'a HTTP'])(
  'a first line %j is refused like any other, and the connection goes on',
  async (line) => {
    const rig = await Rig.start()
    const client = await rig.connect()
    client.socket.write(`${line}\n${GOOD}`)
    await rig.run()
    expect([client.acks.at(-1), client.errors.length, cpus(rig.log)]).toEqual([2, 1, [1]])
  },
)

test('a later line that looks like HTTP is a line', async () => {
  const rig = await Rig.start()
  const client = await rig.connect()
  client.socket.write(`${GOOD}${POST}${GOOD}`)
  await rig.run()
  expect([client.acks.at(-1), client.codes.includes('E_PROTOCOL'), cpus(rig.log)]).toEqual([6, false, [1, 1]])
})
