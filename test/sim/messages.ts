import { host } from '../../schemas/datasets/host.ts'
import { type Columns, type Message, toColumns } from '../../schemas/message.ts'

/** A message of the dataset `host`, by what its fields are called. */
export interface HostMessage {
  readonly service: string
  readonly host: string
  readonly timeMs: number
  readonly gauges: readonly number[]
  readonly agent?: string | null
  readonly seq?: number | null
}

export function hostMessage({
  service,
  host: name,
  timeMs,
  gauges,
  agent = null,
  seq = null,
}: HostMessage): Message {
  return { names: [service, name], timeMs, gauges, agent, seq }
}

/** Messages of the dataset `host` as columns. */
export function hostColumns(messages: readonly HostMessage[]): Columns {
  return toColumns(host, messages.map(hostMessage))
}
