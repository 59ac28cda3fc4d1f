import type { Access } from '../../schemas/ports/access.ts'
import type { Clock } from '../../schemas/ports/clock.ts'
import type { Listener, Net } from '../../schemas/ports/net.ts'
import type { Intake } from '../intake/intake.ts'
import { REFUSED_CONNECTIONS_MAX } from '../intake/limits.ts'
import { Connection } from './connection.ts'
import { LineDecoder } from './decode/decoder.ts'
import { LineBuffer } from './decode/line-buffer.ts'
import { LINE_BUFFER_BYTES } from './line-splitter.ts'
import type { Shared } from './shared.ts'

export interface LineConfig {
  readonly host: string
  /** 0 takes a free one. */
  readonly port: number
  /** Messages with an earlier time are refused. */
  readonly oldestMs: number
  /** A connection that is silent for so long is closed. */
  readonly idleMs: number
  readonly connectionsMax: number
}

export interface LineDeps {
  readonly intake: Intake
  readonly net: Net
  readonly clock: Clock
  /** Null: any peer may send. */
  readonly access: Access | null
}

/** Listens for senders of lines. Throws `E_LISTEN`. */
export function listenForLines(
  config: LineConfig,
  { intake, net, clock, access }: LineDeps,
): Promise<Listener> {
  const { connectionsMax, oldestMs, idleMs } = config
  const lineBuffer = new LineBuffer(LINE_BUFFER_BYTES)
  const decoders = new Map(
    Array.from(intake.datasets, (one) => [one.dataset.name, new LineDecoder(lineBuffer, one)]),
  )
  intake.onForget(() => {
    for (const decoder of decoders.values()) decoder.forget()
  })
  const shared: Shared = { oldestMs, idleMs, clock, access, intake, lineBuffer, decoders }
  return net.listen(config.host, config.port, (socket) => {
    const above = intake.connected.size - connectionsMax
    if (above >= REFUSED_CONNECTIONS_MAX) return socket.destroy()
    const connection = new Connection(socket, shared)
    if (above >= 0) connection.refuse('E_CONNECTIONS', `${connectionsMax} connections are open already`)
  })
}
