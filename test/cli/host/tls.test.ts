import { once } from 'node:events'
import net from 'node:net'
import tls from 'node:tls'
import { afterEach, expect, test } from 'vitest'
import { nodeNet } from '../../../cli/host/net.ts'
import type { ConnectTls } from '../../../cli/host/tls.ts'
import type { Socket } from '../../../schemas/ports/net.ts'
import { makeCa } from './certificates.ts'
import { until } from './until.ts'

const ca = await makeCa()
const pair = await ca.issue({ ip: ['127.0.0.1'] })
const HELLO = 'this side speaks TLS\n'
const trusted: ConnectTls = { trust: 'ca', ca: ca.cert }

const toClose: (() => void)[] = []
afterEach(() => {
  for (const close of toClose.splice(0)) close()
})

/** A TLS listener, and what happened to each connection it accepted. */
async function listen(tlsOptions: { cert: Buffer; key: Buffer; handshakeMs?: number } = pair) {
  const events: string[] = []
  const sockets: Socket[] = []
  const listenTls = { handshakeMs: 5_000, toPlainText: HELLO, ...tlsOptions }
  const own = nodeNet({ listenTls })
  const listener = await own.listen('127.0.0.1', 0, (socket) => {
    sockets.push(socket)
    socket.handle({
      data: (bytes) => void events.push(Buffer.from(bytes).toString()),
      end: () => void events.push('(end)'),
      drain: () => {},
      close: (reason) => void events.push(`(${reason})`),
    })
  })
  toClose.push(
    () => void listener.close(),
    () => {
      for (const socket of sockets) socket.destroy()
    },
  )
  return { port: listener.port, events, sockets, renew: own.renew }
}

/** A man in the middle, who can end the connection to the listener. */
async function middle(port: number) {
  let cut = () => {}
  const server = net.createServer({ allowHalfOpen: true }, (client) => {
    const onward = net.connect({ host: '127.0.0.1', port, allowHalfOpen: true })
    client.on('data', (bytes) => onward.write(bytes))
    onward.on('data', (bytes) => client.write(bytes))
    for (const socket of [client, onward]) socket.on('error', () => {})
    onward.on('close', () => client.destroy())
    cut = () => void onward.end()
    toClose.push(
      () => onward.destroy(),
      () => client.destroy(),
    )
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  toClose.push(() => server.close())
  return { port: (server.address() as net.AddressInfo).port, cut: () => cut() }
}

test('a connection that somebody in between ends is broken, not ended', async () => {
  const { port, events } = await listen()
  const between = await middle(port)
  const client = await nodeNet({ connectTls: trusted }).connect('127.0.0.1', between.port)
  client.handle({ data() {}, end() {}, drain() {}, close() {} })
  client.write('half a li')
  await until(() => events.length === 1)
  between.cut()
  await until(() => events.length === 2)
  expect(events).toEqual(['half a li', '(the connection was cut off)'])
})

test('what is ended and then cut off has ended', async () => {
  const { port, events, sockets } = await listen()
  const between = await middle(port)
  const client = await nodeNet({ connectTls: trusted }).connect('127.0.0.1', between.port)
  client.handle({ data() {}, end() {}, drain() {}, close() {} })
  await until(() => sockets.length === 1)
  sockets[0]!.pause()
  client.write('a line')
  client.end()
  await new Promise((resolve) => setTimeout(resolve, 20))
  between.cut()
  await new Promise((resolve) => setTimeout(resolve, 20))
  sockets[0]!.resume()
  await until(() => events.length === 2)
  expect(events).toEqual(['a line', '(end)'])
})

test.each(['TLSv1.2', 'TLSv1.3'] as const)(
  '%s: an answer still comes after the client has ended',
  async (version) => {
    const { port, events, sockets } = await listen()
    const socket = net.connect({ host: '127.0.0.1', port, allowHalfOpen: true })
    const client = tls.connect({
      socket,
      ca: ca.cert,
      host: '127.0.0.1',
      minVersion: version,
      maxVersion: version,
    })
    let heard = ''
    client.on('data', (bytes) => {
      heard += bytes
    })
    client.end('question')
    await until(() => events.includes('(end)'))
    sockets[0]!.write('answer')
    sockets[0]!.end()
    await once(client, 'close')
    await until(() => events.length === 3)
    expect([heard, events]).toEqual(['answer', ['question', '(end)', '()']])
  },
)

test('a handshake that never finishes is a connection from the start, and is given up', async () => {
  const { port, events, sockets } = await listen({ ...pair, handshakeMs: 50 })
  const client = net.connect(port, '127.0.0.1')
  client.on('error', () => {})
  await until(() => sockets.length === 1)
  expect(events).toEqual([])
  await until(() => client.closed)
  expect(events).toEqual(['(no TLS handshake within 0.05 s)'])
})

test('who speaks no TLS is told so', async () => {
  const { port, events } = await listen()
  const client = net.connect(port, '127.0.0.1')
  let heard = ''
  client.on('data', (bytes) => {
    heard += bytes
  })
  client.write(`${JSON.stringify({ service: 'web', cpu: 1, ram: 2, disk: 3 })}\n`.repeat(1_000))
  await until(() => client.closed && events.length === 1)
  expect([heard, events]).toEqual([HELLO, ['(the peer speaks no TLS)']])
})

test('a listener without TLS is named', async () => {
  const listener = await nodeNet().listen('127.0.0.1', 0, (socket) => {
    socket.handle({ data: () => void socket.write('{"error":{}}\n'), end() {}, drain() {}, close() {} })
  })
  toClose.push(() => void listener.close())
  await expect(nodeNet({ connectTls: trusted }).connect('127.0.0.1', listener.port)).rejects.toMatchObject({
    code: 'E_TLS',
    message: `what listens on 127.0.0.1:${listener.port} speaks no TLS`,
  })
})

test('a certificate that is not the right one is named with what is wrong', async () => {
  const other = await makeCa()
  const cases: [{ cert: Buffer; key: Buffer }, ConnectTls, RegExp][] = [
    [pair, { trust: 'ca', ca: other.cert }, /signed by nobody who is trusted here; name its CA with --ca/],
    [pair, { trust: 'system' }, /signed by nobody who is trusted here/],
    [await ca.issue({ dns: ['example.org'], ip: ['10.0.0.1'] }), trusted, /is for another name/],
    [await ca.issue({ ip: ['127.0.0.1'] }, -3_600_000), trusted, /has expired/],
    [pair, { trust: 'certificate', cert: other.cert }, /has another certificate/],
  ]
  for (const [shown, trust, message] of cases) {
    const { port } = await listen(shown)
    const attempt = nodeNet({ connectTls: trust }).connect('127.0.0.1', port)
    await expect(attempt).rejects.toMatchObject({
      code: 'E_CERTIFICATE',
      message: expect.stringMatching(message),
    })
  }
})

test('one certificate can be trusted as it stands, whatever its name and date', async () => {
  const shown = await ca.issue({ dns: ['example.org'] }, -3_600_000)
  const { port, events } = await listen(shown)
  const client = await nodeNet({ connectTls: { trust: 'certificate', cert: shown.cert } }).connect(
    '127.0.0.1',
    port,
  )
  client.handle({ data() {}, end() {}, drain() {}, close() {} })
  client.write('here')
  await until(() => events.length === 1)
  client.destroy()
  await until(() => events.length === 2)
  expect(events[0]).toBe('here')
})

test('connections from a renewal on get the new certificate, and trust what they are told to; others go on', async () => {
  const { port, events, renew } = await listen()
  const client = nodeNet({ connectTls: { trust: 'certificate', cert: pair.cert } })
  const early = await client.connect('127.0.0.1', port)
  toClose.push(() => early.destroy())
  const next = await ca.issue({ ip: ['127.0.0.1'] })
  renew(next)
  await expect(client.connect('127.0.0.1', port)).rejects.toMatchObject({ code: 'E_CERTIFICATE' })
  client.trust({ trust: 'certificate', cert: next.cert })
  const late = await client.connect('127.0.0.1', port)
  toClose.push(() => late.destroy())
  early.write(Buffer.from('early'))
  late.write(Buffer.from('late'))
  await until(() => events.includes('early') && events.includes('late'))
})
