import net from 'node:net'
import { expect, test, vi } from 'vitest'
import { nodeNet } from '../../../cli/host/net.ts'
import type { Net, Socket } from '../../../schemas/ports/net.ts'
import { SimNet } from '../../sim/net.ts'
import { makeCa } from './certificates.ts'
import { until } from './until.ts'

const ca = await makeCa()
const listenTls = {
  ...(await ca.issue({ ip: ['127.0.0.1'] })),
  handshakeMs: 10_000,
  toPlainText: 'this side speaks TLS\n',
}

/** The simulated network must behave like the real one wherever nothing fails, and TLS like TCP. */
const KINDS = {
  real: () => nodeNet(),
  simulated: () => new SimNet(1),
  tls: () => nodeNet({ listenTls, connectTls: { trust: 'ca', ca: ca.cert } }),
} as const

/** One end, what it received, and what happened to it in order; chunks in a row are one event. */
function watch(socket: Socket, onData = () => {}) {
  const events: string[] = []
  const received: Uint8Array[] = []
  const lent: Uint8Array[] = []
  const gone = new Promise<void>((resolve) => {
    socket.handle({
      data(bytes) {
        received.push(new Uint8Array(bytes))
        lent.push(bytes)
        if (events.at(-1) !== 'data') events.push('data')
        onData()
      },
      end: () => void events.push('end'),
      drain: () => {},
      close(reason) {
        events.push(reason === '' ? 'closed' : 'lost')
        resolve()
      },
    })
  })
  const bytes = () => Buffer.concat(received)
  return { socket, events, gone, bytes, text: () => bytes().toString(), lent }
}

async function pair(net: Net, onData?: (server: Socket) => void) {
  let accept: (socket: Socket) => void = () => {}
  const accepted = new Promise<Socket>((resolve) => {
    accept = resolve
  })
  // Watched at once: what comes first must not be missed.
  const listener = await net.listen('127.0.0.1', 0, (socket) => accept(socket))
  const client = watch(await net.connect('127.0.0.1', listener.port))
  const socket = await accepted
  const server = watch(socket, () => onData?.(socket))
  return { listener, client, server }
}

for (const [kind, make] of Object.entries(KINDS)) {
  test(`${kind}: each side closes on its own, and what was written before arrives`, async () => {
    const { listener, client, server } = await pair(make())
    client.socket.write('hello ')
    client.socket.write(Buffer.from('world'))
    client.socket.end()
    await until(() => server.events.includes('end'))
    server.socket.write('answer')
    server.socket.end()
    await Promise.all([client.gone, server.gone])
    expect([server.text(), server.events]).toEqual(['hello world', ['data', 'end', 'closed']])
    // The memory was lent: whoever looks at it later finds nothing.
    expect(server.lent.flatMap((bytes) => (bytes.length > 0 ? [...bytes] : []))).not.toContain(
      'h'.charCodeAt(0),
    )
    expect([client.text(), client.events]).toEqual(['answer', ['data', 'end', 'closed']])
    await listener.close()
  })

  test(`${kind}: what is paused is not told until it resumes`, async () => {
    const { listener, client, server } = await pair(make())
    server.socket.pause()
    client.socket.write('x')
    client.socket.end()
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(server.events).toEqual([])
    server.socket.resume()
    await until(() => server.events.length === 2)
    expect([server.text(), server.events]).toEqual(['x', ['data', 'end']])
    server.socket.destroy()
    await Promise.all([client.gone, server.gone])
    await listener.close()
  })

  test(`${kind}: paused after every piece, nothing is told meanwhile and all arrives in order`, async () => {
    let paused = false
    let pieces = 0
    const { listener, client, server } = await pair(make(), (socket) => {
      expect(paused).toBe(false)
      pieces += 1
      paused = true
      socket.pause()
      setTimeout(() => {
        paused = false
        socket.resume()
      }, 1)
    })
    const numbers = Uint32Array.from({ length: 1 << 20 }, (_, i) => i)
    for (let i = 0; i < numbers.length; i += 1 << 14)
      client.socket.write(Buffer.from(numbers.slice(i, i + (1 << 14)).buffer))
    client.socket.end()
    await until(() => server.events.includes('end'))
    expect(Buffer.compare(server.bytes(), Buffer.from(numbers.buffer))).toBe(0)
    if (kind !== 'simulated') expect(pieces).toBeGreaterThan(10)
    server.socket.destroy()
    await Promise.all([client.gone, server.gone])
    await listener.close()
  })

  test(`${kind}: a slow reader shows in pendingBytes`, async () => {
    const { listener, client, server } = await pair(make())
    server.socket.pause()
    const chunk = Buffer.alloc(1 << 20)
    let more = true
    for (let i = 0; i < 50; i++) more = client.socket.write(chunk)
    expect([more, client.socket.pendingBytes() > 1 << 20]).toEqual([false, true])
    server.socket.resume()
    await until(() => client.socket.pendingBytes() === 0)
    client.socket.destroy()
    await Promise.all([client.gone, server.gone])
    await listener.close()
  })

  test(`${kind}: a connection that is destroyed is lost for the peer, not ended`, async () => {
    const { listener, client, server } = await pair(make())
    client.socket.write('half a li')
    await until(() => server.events.length > 0)
    client.socket.destroy()
    await Promise.all([client.gone, server.gone])
    expect([client.events, server.events]).toEqual([['closed'], ['data', 'lost']])
    await listener.close()
  })

  test(`${kind}: a listener that closed lets open connections live`, async () => {
    const net = make()
    const { listener, client, server } = await pair(net)
    await listener.close()
    client.socket.write('still here')
    await until(() => server.events.length === 1)
    await expect(net.connect('127.0.0.1', listener.port)).rejects.toMatchObject({ code: 'E_CONNECT' })
    client.socket.destroy()
    await Promise.all([client.gone, server.gone])
  })

  test(`${kind}: an address that is taken is named`, async () => {
    const net = make()
    const listener = await net.listen('127.0.0.1', 0, () => {})
    await expect(net.listen('127.0.0.1', listener.port, () => {})).rejects.toMatchObject({ code: 'E_LISTEN' })
    await listener.close()
  })
}

for (const [kind, bytesMax] of Object.entries({ real: 0, tls: 128 << 10 })) {
  for (const when of ['while it tells something', 'between two pieces']) {
    test(`${kind}: what is paused ${when} is not read on`, async () => {
      const raws: net.Socket[] = []
      const create = net.createServer
      const spy = vi.spyOn(net, 'createServer').mockImplementation(((
        options: object,
        accept: (raw: net.Socket) => void,
      ) =>
        create(options, (raw) => {
          raws.push(raw)
          accept(raw)
        })) as typeof net.createServer)
      const inside = when === 'while it tells something'
      const { listener, client, server } = await pair(KINDS[kind as keyof typeof KINDS](), (socket) => {
        if (inside) socket.pause()
      })
      spy.mockRestore()
      client.socket.write('x')
      await until(() => server.text() === 'x')
      if (!inside) server.socket.pause()
      const [raw] = raws as [net.Socket]
      const before = raw.bytesRead
      client.socket.write(Buffer.alloc(4 << 20))
      await new Promise((resolve) => setTimeout(resolve, 50))
      expect(raw.bytesRead - before).toBeLessThanOrEqual(bytesMax)
      client.socket.destroy()
      server.socket.destroy()
      await Promise.all([client.gone, server.gone])
      await listener.close()
    })
  }
}
