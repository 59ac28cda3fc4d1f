import { host } from '../schemas/datasets/host.ts'
import { type Clock, type Random, sleep } from '../schemas/ports/clock.ts'
import type { Net } from '../schemas/ports/net.ts'
import { AGENT_ID_BYTES, type Backlog } from './backlog.ts'
import { Backoff } from './backoff.ts'
import { Delivery } from './delivery.ts'
import { openLink } from './link.ts'
import { LossReport } from './losses.ts'
import { MessageQueue } from './queue.ts'
import { stayConnected } from './redial.ts'
import { startSampling } from './sampling.ts'

export interface AgentConfig {
  /** The collector's address. */
  readonly host: string
  readonly port: number
  readonly service: string
  readonly hostName: string
  readonly intervalMs: number
  /** Said in each hello, for people who look at the collector. */
  readonly about?: AgentAbout
}

export interface AgentAbout {
  /** Whose CPU and RAM are measured. */
  readonly scope?: 'host' | 'container'
  /** Of the agent. */
  readonly version?: string
}

export interface AgentDeps {
  readonly net: Net
  readonly clock: Clock
  readonly random: Random
  /** Returns the host's gauges now, in the order of those of `host`; NaN for one that cannot be had. */
  sample(): Promise<number[]>
  /** What waits to be acknowledged; absent: in memory. The agent closes it. */
  readonly backlog?: Backlog
  /** Returns the access token; asked for at each connection, so that it can be replaced meanwhile. Absent: none. */
  token?(): Promise<string>
  logLine(line: string): void
}

export interface Agent {
  status(): AgentStatus
  /** Waits shortly for what is in flight, then disconnects. */
  close(): Promise<void>
}

export interface AgentStatus {
  readonly state: 'connected' | 'connecting'
  readonly agent: string
  /** Messages that nobody acknowledged yet, and those given up unacknowledged, as a backlog counts them. */
  readonly queued: number
  readonly lost: number
  readonly acked: number
}

/** Messages in memory without a spool: nearly three hours at one sample a second. */
const QUEUE_MAX = 10_000
/** Longest wait for the last acknowledgement, when stopping. */
const CLOSE_MS_MAX = 2_000

/**
 * Starts an agent: samples this host on a steady grid and sends, each message numbered, until it is acknowledged.
 *
 *     sample ─▶ backlog ─▶ (connected) line by line, in order ─▶ ack: forgotten
 *                  ▲                                              │
 *                  └──── reconnect: hello, welcome {seq}: go on behind it
 */
export function startAgent(config: AgentConfig, deps: AgentDeps): Agent {
  const { clock, random, net, logLine } = deps
  const backlog = deps.backlog ?? new MessageQueue(QUEUE_MAX, random.hex(AGENT_ID_BYTES))
  const closing = new AbortController()
  const { signal } = closing
  const losses = new LossReport()
  const backoff = new Backoff(random)
  const delivery = new Delivery({ dataset: host, backlog, losses, backoff, clock, random, signal, logLine })

  async function connectOnce(): Promise<void> {
    const token = await deps.token?.()
    const link = await openLink(net, config, signal, {
      receive: (answer) => delivery.receive(answer),
      stranger: () => logLine(`agent: what answers at ${config.host}:${config.port} is no collector`),
    })
    delivery.begin(link.socket, { ...(token && { token }), ...config.about })
    await link.gone
    delivery.end()
  }

  const stopSampling = startSampling([config.service, config.hostName], config.intervalMs, {
    ...{ dataset: host, backlog, losses, clock, signal, logLine },
    sample: () => deps.sample(),
    due: () => delivery.leaveSilence(),
    kept: () => delivery.send(),
  })
  const connecting = stayConnected(connectOnce, { clock, backoff, signal, logLine })

  return {
    status: () => ({
      state: delivery.flow.isWelcome ? 'connected' : 'connecting',
      agent: backlog.agent,
      queued: backlog.size,
      lost: backlog.lost,
      acked: delivery.flow.acked,
    }),
    async close() {
      stopSampling()
      const enough = new AbortController()
      const limit = sleep(clock, CLOSE_MS_MAX, enough.signal)
      await Promise.race([delivery.drained(), limit])
      closing.abort()
      delivery.hangUp('end')
      await Promise.race([connecting, limit])
      enough.abort()
      delivery.hangUp('destroy')
      await connecting
      await delivery.ended()
      await backlog.close()
    },
  }
}
