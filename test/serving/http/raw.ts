import { request } from 'node:http'
import { connect } from 'node:net'

/** What a server answered. */
export interface Answered {
  /** 0 when it closed without a word. */
  readonly status: number
  readonly type: string
  readonly body: string
}

/** Answers of this type have no end. */
const STREAM = /^content-type: text\/event-stream/im

/** Sends bytes as they are, each character one, and reads until the other side closes. */
export function sendRaw(port: number, text: string): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = []
    const socket = connect(port, '127.0.0.1', () => socket.write(text, 'latin1'))
    socket.on('data', (part) => {
      parts.push(part)
      if (STREAM.test(part.toString('latin1'))) socket.destroy()
    })
    socket.on('error', (error: NodeJS.ErrnoException) => {
      // It closes on what it does not read to the end.
      if (error.code !== 'ECONNRESET' && error.code !== 'EPIPE') reject(error)
    })
    socket.on('close', () => resolve(parsed(Buffer.concat(parts).toString('latin1'))))
  })
}

function parsed(text: string): Answered {
  const [head = '', body = ''] = text.split('\r\n\r\n', 2)
  const [, status = '0'] = /^HTTP\/1\.1 (\d{3})/.exec(head) ?? []
  const [, type = ''] = /^content-type: (.*)$/im.exec(head) ?? []
  return { status: Number(status), type: type.trim(), body }
}

/** Asks for a path as it is written, as `fetch` would not. */
export function ask(port: number, path: string, method = 'GET', body?: string): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const headers = body === undefined ? {} : { 'content-type': 'application/json' }
    const asked = request({ port, host: '127.0.0.1', path, method, headers }, (response) => {
      const type = String(response.headers['content-type'] ?? '')
      const parts: Buffer[] = []
      if (type.startsWith('text/event-stream')) {
        response.destroy()
        resolve({ status: response.statusCode!, type, body: '' })
      }
      response.on('data', (part: Buffer) => parts.push(part))
      response.on('end', () => {
        resolve({ status: response.statusCode!, type, body: Buffer.concat(parts).toString() })
      })
    })
    asked.on('error', reject)
    asked.end(body)
  })
}
