import net from 'node:net'
import { TidemarkError } from '../../schemas/errors.ts'
import type { Listener, Net, Socket } from '../../schemas/ports/net.ts'
import type { Acceptor, ConnectTls, ListenTls, Secured } from './tls.ts'

/** Connections that wait to be accepted while this thread is busy: as many as the system allows. */
const BACKLOG = 65_535

/** What speaks TLS is loaded where it is wanted: an agent without it is a megabyte smaller. */
const loadTls = () => import('./tls.ts')

/** TCP of this machine, and what it speaks TLS with; both count for connections from then on. */
export interface NodeNet extends Net {
  /** Listens with another certificate. Throws when certificate and key are no pair. */
  renew(pair: Pick<ListenTls, 'cert' | 'key'>): void
  trust(connectTls: ConnectTls): void
}

/** TCP of this machine; with `listenTls` and `connectTls`, TLS over it. */
export function nodeNet({
  listenTls,
  connectTls,
}: {
  listenTls?: ListenTls
  connectTls?: ConnectTls
} = {}): NodeNet {
  let acceptor: Acceptor | undefined
  return {
    async listen(host, port, accept) {
      const of = listenTls && (await loadTls()).acceptorOf(listenTls)
      acceptor = of
      return listen(host, port, (socket) => accept(of ? wrapSecured(of.secure(socket)) : wrap(socket)))
    },
    renew: (pair) => acceptor?.renew(pair),
    trust(trusted) {
      connectTls = trusted
    },
    connect: (host, port) =>
      new Promise((resolve, reject) => {
        const socket = net.connect({ host, port, noDelay: true, allowHalfOpen: true })
        const fail = (error: Error) => {
          const cause = { cause: error }
          reject(new TidemarkError('E_CONNECT', `cannot connect to ${host}:${port}: ${error.message}`, cause))
        }
        socket.once('error', fail)
        socket.once('connect', () => {
          socket.off('error', fail)
          const trusted = connectTls
          if (trusted === undefined) resolve(wrap(socket))
          else
            loadTls()
              .then(({ secureConnected }) => secureConnected(socket, host, port, trusted))
              .then((peer) => resolve(wrapSecured(peer)), reject)
        })
      }),
  }
}

function listen(host: string, port: number, accept: (socket: net.Socket) => void): Promise<Listener> {
  return new Promise((resolve, reject) => {
    const server = net.createServer({ allowHalfOpen: true, noDelay: true }, accept)
    server.once('error', (error) => {
      const cause = { cause: error }
      reject(new TidemarkError('E_LISTEN', `cannot listen on ${host}:${port}: ${error.message}`, cause))
    })
    server.listen({ host, port, backlog: BACKLOG }, () => {
      server.on('error', () => {})
      const address = server.address() as net.AddressInfo
      resolve({
        host: address.address,
        port: address.port,
        // Open connections live on, so nobody waits for them here.
        close: async () => void server.close(),
      })
    })
  })
}

function wrap(socket: net.Socket): Socket {
  // A reset, so that the peer does not take it for an orderly end.
  return asPort(socket, socket, () => void (socket.destroyed || socket.resetAndDestroy()))
}

function wrapSecured({ secure, raw }: Secured): Socket {
  return asPort(secure, raw, () => {
    if (!raw.destroyed) raw.resetAndDestroy()
    secure.destroy()
  })
}

/**
 * Gives memory back at once that holds only these bytes. Left to the garbage collector, what was read piles up to hundreds of
 * megabytes while there is nothing else to collect. Node can since 21.
 */
function release({ buffer, byteLength }: Buffer): void {
  if (byteLength === buffer.byteLength && buffer instanceof ArrayBuffer)
    (buffer as { transfer?(bytes: number): void }).transfer?.(0)
}

/** What Node reads a socket with: no documented part of it, so it may be missing. */
interface Handle {
  reading: boolean
  readStart(): void
  readStop(): void
}

/**
 * Stops reading at once, or starts again. `pause` alone would let Node fill the socket's buffer first, 64 KiB and more of
 * each: with ten thousand connections hundreds of megabytes just when memory is short.
 */
function setReading(socket: net.Socket, reading: boolean): void {
  const handle = (socket as unknown as { readonly _handle?: Handle | null })._handle
  if (handle?.reading !== !reading) return
  handle.reading = reading
  if (reading) handle.readStart()
  else handle.readStop()
}

/** `socket` as the port; `raw` is its TCP connection. */
function asPort(socket: net.Socket, raw: net.Socket, destroy: () => void): Socket {
  let reason = ''
  // Without a listener an error would end the process; 'close' follows every error.
  socket.on('error', (error) => {
    reason = error.message
  })
  return {
    // Of a connection that is lost already the system knows no address.
    remoteAddress: raw.remoteAddress ?? 'unknown',
    write: (bytes) => !socket.writable || socket.write(bytes),
    pendingBytes: () => socket.writableLength,
    end: () => void socket.end(),
    destroy,
    pause() {
      socket.pause()
      setReading(socket, false)
      // Paused while it tells something, Node reads on once that is told.
      queueMicrotask(() => {
        if (socket.isPaused()) setReading(socket, false)
      })
    },
    resume() {
      setReading(socket, true)
      socket.resume()
    },
    handle(handlers) {
      socket.on('data', (bytes: Buffer) => {
        handlers.data(bytes)
        release(bytes)
      })
      socket.on('end', () => handlers.end())
      socket.on('drain', () => handlers.drain())
      if (socket.closed) queueMicrotask(() => handlers.close(reason || 'connection lost'))
      socket.on('close', (failed) => handlers.close(failed ? reason || 'connection lost' : reason))
    },
  }
}
