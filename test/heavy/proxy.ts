import http from 'node:http'
import type { AddressInfo, Socket } from 'node:net'

/** What lies between a browser and the server, and can be cut. */
export interface Between {
  readonly url: string
  /** The requests for a path so far, with the id that each came back with. */
  readonly asked: readonly { readonly path: string; readonly lastId: string | null }[]
  /** While it is cut every connection breaks at once. */
  cut(isCut: boolean): void
  close(): Promise<void>
}

export async function startProxy(target: string): Promise<Between> {
  const sockets = new Set<Socket>()
  const asked: { path: string; lastId: string | null }[] = []
  let isCut = false
  const server = http.createServer((request, response) => {
    const { method, headers, url = '/' } = request
    asked.push({ path: url, lastId: (headers['last-event-id'] as string) ?? null })
    const onwards = http.request(`${target}${url}`, { method: method!, headers }, (answer) => {
      response.writeHead(answer.statusCode!, answer.headers)
      answer.pipe(response)
    })
    onwards.on('error', () => response.destroy())
    response.on('close', () => onwards.destroy())
    request.pipe(onwards)
  })
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    if (isCut) socket.destroy()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    cut(cut) {
      isCut = cut
      if (cut) for (const socket of sockets) socket.destroy()
    },
    async close() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
