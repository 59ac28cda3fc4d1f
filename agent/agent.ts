import { describeError } from '../schemas/errors.ts'
import { toLine } from '../schemas/message.ts'
import { type Clock, type Random, sleep } from '../schemas/ports/clock.ts'
import type { Net, Socket } from '../schemas/ports/net.ts'
import { everyMultiple } from './grid.ts'
import { type Answer, openLink } from './link.ts'
import { MessageQueue } from './queue.ts'

export interface AgentConfig {
  /** The collector's address. */
  readonly host: string
  readonly port: number
  readonly service: string
  readonly hostName: string
  readonly intervalMs: number
  /** Messages kept while the collector cannot be reached. */
  readonly queueMax?: number
}

export interface AgentDeps {
  readonly net: Net
  readonly clock: Clock
  readonly random: Random
  /** The host's gauges now, in the order of `GAUGES`. */
  sample(): Promise<number[]>
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
  /** Messages that nobody acknowledged yet, and those given up unacknowledged because there were too many. */
  readonly queued: number
  readonly lost: number
  readonly acked: number
}

/** Nearly three hours at one sample a second. */
const QUEUE_MAX = 10_000
/** Messages sent and not acknowledged. */
const WINDOW_MAX = 1_000
const BACKOFF_MS_MIN = 500
const BACKOFF_MS_MAX = 30_000
/** Longest wait for the last acknowledgement, when stopping. */
const CLOSE_MS_MAX = 2_000
/** A collector that owes an answer and gives none for so long is taken for lost. */
const ANSWER_MS_MAX = 60_000
const ID_BYTES = 16

/**
 * Starts an agent: samples this host on a steady grid and sends, each message numbered, until it is acknowledged.
 *
 *     sample ─▶ queue ─▶ (connected) line by line, in order ─▶ ack: forgotten
 *                  ▲                                            │
 *                  └── reconnect: hello, welcome {seq}: go on behind it
 *
 * There is no spool yet: the queue lives in memory, so each start takes a new id.
 */
export function startAgent(config: AgentConfig, deps: AgentDeps): Agent {
  const { clock, random, net, logLine } = deps
  const queue = new MessageQueue(config.queueMax ?? QUEUE_MAX)
  const closing = new AbortController()
  let agent = random.hex(ID_BYTES)
  let socket: Socket | null = null
  /** Null until the collector's welcome. */
  let sentSeq: number | null = null
  let acked = 0
  let backoffMs = BACKOFF_MS_MIN
  /** Since when the collector owes an answer; null when it owes none. */
  let owedSinceMs: number | null = null
  let lossSaid = false
  let whenAcked = () => {}

  async function sampleOnce() {
    giveUpOnSilence()
    try {
      const gauges = await deps.sample()
      if (closing.signal.aborted) return
      queue.push({ service: config.service, host: config.hostName, timeMs: clock.nowMs(), gauges })
      if (queue.lost > 0 && !lossSaid) {
        logLine('agent: the queue is full, the oldest samples are lost')
        lossSaid = true
      }
      send()
    } catch (error) {
      logLine(`agent: no sample: ${describeError(error)}`)
    }
  }

  /** A connection can die without a word; the next one starts behind what is durable. */
  function giveUpOnSilence() {
    if (owedSinceMs === null || Math.abs(clock.nowMs() - owedSinceMs) < ANSWER_MS_MAX) return
    logLine(`agent: no answer for ${ANSWER_MS_MAX / 1_000} s; connecting again`)
    owedSinceMs = null
    socket?.destroy()
  }

  function send() {
    if (socket === null || sentSeq === null) return
    const window = WINDOW_MAX - (sentSeq - acked)
    for (const message of queue.after(sentSeq, Math.max(0, window))) {
      socket.write(`${toLine({ ...message, agent })}\n`)
      sentSeq = message.seq
      owedSinceMs ??= clock.nowMs()
    }
  }

  function receive(answer: Answer) {
    owedSinceMs = null
    if (answer.kind === 'welcome') welcomed(answer.seq)
    else if (answer.kind === 'ack') settled(answer.seq)
    else logLine(`agent: the collector says: ${answer.message} (${answer.code})`)
  }

  function welcomed(seq: number) {
    backoffMs = BACKOFF_MS_MIN
    if (seq > queue.highestSeq) {
      logLine('agent: another sender used this id; taking a new one')
      agent = random.hex(ID_BYTES)
      queue.renumber()
      acked = 0
      socket?.destroy()
      return
    }
    settled(seq)
    sentSeq = seq
    send()
  }

  function settled(seq: number) {
    acked = Math.max(acked, seq)
    queue.settled(seq)
    if (queue.size === 0) {
      lossSaid = false
      whenAcked()
    }
    send()
    if (sentSeq !== null && sentSeq > acked) owedSinceMs ??= clock.nowMs()
  }

  async function connectOnce(): Promise<void> {
    const link = await openLink(net, config, closing.signal, {
      receive,
      stranger: () => logLine(`agent: what answers at ${config.host}:${config.port} is no collector`),
    })
    socket = link.socket
    owedSinceMs = clock.nowMs()
    socket.write(`${JSON.stringify({ hello: 1, agent })}\n`)
    await link.gone
    socket = null
    sentSeq = null
    owedSinceMs = null
  }

  async function stayConnected() {
    let saidAway = false
    while (!closing.signal.aborted) {
      try {
        await connectOnce()
        saidAway = false
      } catch (error) {
        if (!saidAway && !closing.signal.aborted) logLine(`agent: ${describeError(error)}; trying again`)
        saidAway = true
      }
      // Half of the wait is chance, so that a fleet does not come back all at once.
      await sleep(clock, backoffMs * (0.5 + random.float() / 2), closing.signal)
      backoffMs = Math.min(BACKOFF_MS_MAX, backoffMs * 2)
    }
  }

  const stopSampling = everyMultiple(clock, config.intervalMs, sampleOnce)
  void sampleOnce()
  const connecting = stayConnected()

  return {
    status: () => ({
      state: sentSeq === null ? 'connecting' : 'connected',
      agent,
      queued: queue.size,
      lost: queue.lost,
      acked,
    }),
    async close() {
      stopSampling()
      const enough = new AbortController()
      const limit = sleep(clock, CLOSE_MS_MAX, enough.signal)
      if (queue.size > 0 && sentSeq !== null) {
        const drained = new Promise<void>((resolve) => {
          whenAcked = resolve
        })
        await Promise.race([drained, limit])
      }
      closing.abort()
      socket?.end()
      await Promise.race([connecting, limit])
      enough.abort()
      socket?.destroy()
      await connecting
    },
  }
}
