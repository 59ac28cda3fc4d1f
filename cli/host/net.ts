import net from 'node:net'
import { TidemarkError } from '../../schemas/errors.ts'
import type { Net, Socket } from '../../schemas/ports/net.ts'

/** TCP of this machine. */
export function nodeNet(): Net {
  return {
    listen: (host, port, accept) =>
      new Promise((resolve, reject) => {
        const server = net.createServer({ allowHalfOpen: true, noDelay: true }, (socket) =>
          accept(wrap(socket)),
        )
        server.once('error', (error) => {
          const cause = { cause: error }
          reject(new TidemarkError('E_LISTEN', `cannot listen on ${host}:${port}: ${error.message}`, cause))
        })
        server.listen({ host, port, backlog: 1_024 }, () => {
          server.on('error', () => {})
          const address = server.address() as net.AddressInfo
          resolve({
            host: address.address,
            port: address.port,
            // Open connections live on, so nobody waits for them here.
            close: async () => void server.close(),
          })
        })
      }),
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
          resolve(wrap(socket))
        })
      }),
  }
}

function wrap(socket: net.Socket): Socket {
  let reason = ''
  // Without a listener an error would end the process; 'close' follows every error.
  socket.on('error', (error) => {
    reason = error.message
  })
  return {
    // Of a connection that is lost already the system knows no address.
    remoteAddress: socket.remoteAddress ?? 'unknown',
    write: (bytes) => !socket.writable || socket.write(bytes),
    pendingBytes: () => socket.writableLength,
    end: () => void socket.end(),
    // A reset, so that the peer does not take it for an orderly end.
    destroy: () => void (socket.destroyed || socket.resetAndDestroy()),
    pause: () => void socket.pause(),
    resume: () => void socket.resume(),
    handle(handlers) {
      socket.on('data', (bytes: Buffer) => handlers.data(bytes))
      socket.on('end', () => handlers.end())
      socket.on('drain', () => handlers.drain())
      if (socket.closed) queueMicrotask(() => handlers.close(reason || 'connection lost'))
      socket.on('close', (failed) => handlers.close(failed ? reason || 'connection lost' : reason))
    },
  }
}
