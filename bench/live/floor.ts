import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** The floor of live: a server that writes what it is told to every follower, and does not know what it means. */
const followers = new Set<ServerResponse>()
const server = createServer((_request, response) => {
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  response.write('event: begin\ndata: {}\n\n')
  followers.add(response)
})
server.listen(0, '127.0.0.1', () => process.send!({ port: (server.address() as AddressInfo).port }))
process.on('message', (event: string) => {
  for (const response of followers) response.write(event)
})
process.on('disconnect', () => process.exit())
