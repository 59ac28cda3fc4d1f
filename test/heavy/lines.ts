import net from 'node:net'
import type { Running } from './up.ts'

/** Sends lines, and waits until all are acknowledged. */
export async function send(
  { collector }: Pick<Running, 'collector'>,
  lines: readonly string[],
): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const socket = net.connect(collector.port, collector.host)
    let answered = ''
    socket.on('error', reject)
    socket.on('data', (bytes) => {
      answered += bytes
    })
    socket.on('close', () => {
      if (answered.includes(`{"ack":${lines.length}}`)) resolve()
      else reject(new Error(`not all lines were acknowledged: ${answered.slice(-500)}`))
    })
    socket.end(`${lines.join('\n')}\n`)
  })
}
