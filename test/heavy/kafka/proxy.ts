import net from 'node:net'

/**
 * Passes on what clients and a broker say. `swallow(n)`: the answers to the next `n` produce requests are lost, each with its
 * connection, after the broker has done what they asked; `first` is called before each is. `silence()`: nothing more comes or goes over the connections there are,
 * as when the machine behind them is gone; those made from then on are whole.
 */
export async function startProxy() {
  let target = 0
  let toSwallow = 0
  let beforeLoss = () => {}
  let swallowed = 0
  const sockets = new Set<net.Socket>()
  const silences = new Set<() => void>()
  const server = net.createServer((client) => {
    const broker = net.connect(target, '127.0.0.1')
    const asked = frames()
    const answered = frames()
    /** By which the broker names the request that it answers. */
    let doomed: number | null = null
    let silent = false
    silences.add(() => {
      silent = true
    })
    const end = () => {
      client.destroy()
      broker.destroy()
    }
    for (const socket of [client, broker]) {
      sockets.add(socket)
      socket.on('error', end)
      socket.on('close', () => {
        sockets.delete(socket)
        end()
      })
    }
    client.on('data', (chunk) => {
      if (silent) return
      for (const frame of asked(chunk)) {
        // Key 0 is Produce.
        if (frame.readInt16BE(4) === 0 && toSwallow > 0) {
          toSwallow -= 1
          doomed = frame.readInt32BE(8)
        }
        broker.write(frame)
      }
    })
    broker.on('data', (chunk) => {
      if (silent) return
      for (const frame of answered(chunk)) {
        if (frame.readInt32BE(4) !== doomed) {
          client.write(frame)
          continue
        }
        swallowed += 1
        beforeLoss()
        return end()
      }
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as net.AddressInfo).port,
    /** The port of the broker. */
    reach: (port: number) => {
      target = port
    },
    swallow: (count: number, first = () => {}) => {
      toSwallow += count
      beforeLoss = first
    },
    swallowed: () => swallowed,
    silence: () => {
      for (const silence of silences) silence()
      silences.clear()
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** Cuts what comes in pieces into whole messages, each with its length in front. */
function frames() {
  let pending = Buffer.alloc(0)
  return function* (chunk: Buffer): Generator<Buffer> {
    pending = Buffer.concat([pending, chunk])
    while (pending.length >= 4 && pending.length >= 4 + pending.readInt32BE(0)) {
      const frame = pending.subarray(0, 4 + pending.readInt32BE(0))
      pending = pending.subarray(frame.length)
      yield frame
    }
  }
}
