import { fdatasync, openSync, writev } from 'node:fs'
import net from 'node:net'
import { promisify } from 'node:util'

/**
 * The floor of ingest: a process that appends what its connections send to one file, syncs it, and acknowledges so many
 * bytes, without looking at any of them. Whatever arrives during a sync shares the next one, as in the journal.
 */
const file = openSync(process.argv[2]!, 'a')
const write = promisify(writev)
const sync = promisify(fdatasync)
/** Bytes that wait; above it nothing is read. */
const PENDING_BYTES_MAX = 16 << 20

let chunks: Buffer[] = []
let pendingBytes = 0
/** Bytes of each connection so far, and the connections whose newest bytes wait. */
const received = new Map<net.Socket, number>()
let unacked = new Set<net.Socket>()
let full = false
let flushing = false

async function flush(): Promise<void> {
  flushing = true
  while (chunks.length > 0) {
    const group = chunks
    chunks = []
    const acks = [...unacked].map((socket) => [socket, received.get(socket)!] as const)
    unacked = new Set()
    await write(file, group)
    await sync(file)
    pendingBytes -= group.reduce((sum, { length }) => sum + length, 0)
    for (const [socket, bytes] of acks) socket.write(`{"ack":${bytes}}\n`)
    if (full) for (const socket of received.keys()) socket.resume()
    full = false
  }
  flushing = false
}

const server = net.createServer({ noDelay: true }, (socket) => {
  received.set(socket, 0)
  socket.on('data', (bytes: Buffer) => {
    chunks.push(bytes)
    pendingBytes += bytes.length
    received.set(socket, received.get(socket)! + bytes.length)
    unacked.add(socket)
    if (pendingBytes > PENDING_BYTES_MAX && !full) {
      full = true
      for (const one of received.keys()) one.pause()
    }
    if (!flushing) void flush()
  })
  socket.on('error', () => {})
  socket.on('close', () => {
    received.delete(socket)
    unacked.delete(socket)
  })
})
server.listen(0, '127.0.0.1', () => process.send!({ port: (server.address() as net.AddressInfo).port }))
process.on('disconnect', () => process.exit())
