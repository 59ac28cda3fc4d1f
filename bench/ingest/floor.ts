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
const unacked = new Map<net.Socket, number>()
let flushing = false

async function flush(): Promise<void> {
  flushing = true
  while (chunks.length > 0) {
    const group = chunks
    chunks = []
    const acks = [...unacked]
    await write(file, group)
    await sync(file)
    pendingBytes -= group.reduce((sum, { length }) => sum + length, 0)
    for (const [socket, bytes] of acks) socket.write(`{"ack":${bytes}}\n`)
    for (const socket of unacked.keys()) socket.resume()
  }
  flushing = false
}

const server = net.createServer({ noDelay: true }, (socket) => {
  unacked.set(socket, 0)
  socket.on('data', (bytes: Buffer) => {
    chunks.push(bytes)
    pendingBytes += bytes.length
    unacked.set(socket, unacked.get(socket)! + bytes.length)
    if (pendingBytes > PENDING_BYTES_MAX) for (const one of unacked.keys()) one.pause()
    if (!flushing) void flush()
  })
  socket.on('error', () => {})
  socket.on('close', () => unacked.delete(socket))
})
server.listen(0, '127.0.0.1', () => process.send!({ port: (server.address() as net.AddressInfo).port }))
process.on('disconnect', () => process.exit())
