import { connect } from 'node:net'
import { MINUTE_MS } from '../../schemas/time.ts'
import { sampleOf } from '../ingest/lines.ts'
import { serviceName } from '../lake/history.ts'

/**
 * The sender of a back-fill, a process of its own: one numbered agent that has every minute of all its services in its spool, and
 * sends it all at once. It tells its parent when the last message is acknowledged.
 */
export interface BackfillOptions {
  readonly port: number
  readonly services: number
  readonly minutes: number
  readonly startMs: number
}

export interface Backfilled {
  readonly messages: number
  /** From the first byte to the last acknowledgement. */
  readonly ackedMs: number
}

function linesOf({ services, minutes, startMs }: BackfillOptions): string {
  const lines = ['{"hello":1,"agent":"backfill"}']
  for (let minute = 0; minute < minutes; minute++) {
    const time = new Date(startMs + minute * MINUTE_MS).toISOString()
    for (let s = 0; s < services; s++) {
      const { cpu, ram, disk } = sampleOf(1, minute * services + s)
      const seq = minute * services + s + 1
      lines.push(
        `{"service":"${serviceName(s)}","host":"host-${s}","time_stamp":"${time}","cpu":${cpu},"ram":${ram},"disk":${disk},"seq":${seq}}`,
      )
    }
  }
  return `${lines.join('\n')}\n`
}

function send(options: BackfillOptions): Promise<Backfilled> {
  const messages = options.services * options.minutes
  const bytes = Buffer.from(linesOf(options))
  const beforeMs = performance.now()
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port: options.port, noDelay: true })
    let text = ''
    socket.setEncoding('utf8')
    socket.once('error', reject)
    socket.on('data', (more) => {
      text += more
      const lines = text.split('\n')
      text = lines.pop()!
      for (const line of lines) {
        const { ack, error } = JSON.parse(line)
        if (error) reject(new Error(line))
        if (ack !== messages) continue
        socket.end()
        resolve({ messages, ackedMs: performance.now() - beforeMs })
      }
    })
    socket.write(bytes)
  })
}

process.send!(await send(JSON.parse(process.argv[2]!) as BackfillOptions))
process.disconnect()
