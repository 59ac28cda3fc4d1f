import { host } from '../schemas/datasets/host.ts'
import { describeError, ERRORS } from '../schemas/errors.ts'
import { toLine } from '../schemas/message.ts'
import { type Clock, type Random, sleep } from '../schemas/ports/clock.ts'
import type { Net, Socket } from '../schemas/ports/net.ts'
import type { Backlog } from './backlog.ts'
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
}

export interface AgentDeps {
  readonly net: Net
  readonly clock: Clock
  readonly random: Random
  /** The host's gauges now, in the order of those of `host`. */
  sample(): Promise<number[]>
  /** What waits to be acknowledged; absent: in memory. The agent closes it. */
  readonly backlog?: Backlog
  /** The access token, asked for at each connection so that it can be replaced meanwhile; absent: none. */
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

/** Nearly three hours at one sample a second. */
const QUEUE_MAX = 10_000
/** Messages sent and not acknowledged. */
const WINDOW_MAX = 1_000
/** Messages sent in one go, and the pause behind a full one: a backlog drains at 2,000 a second at most. */
const BATCH_MAX = 100
const BATCH_PAUSE_MS = 50
const BACKOFF_MS_MIN = 500
const BACKOFF_MS_MAX = 30_000
/** Longest wait for the last acknowledgement, when stopping. */
const CLOSE_MS_MAX = 2_000
/** A collector that owes an answer and gives none for so long is taken for lost. */
const ANSWER_MS_MAX = 60_000
const ID_BYTES = 16
/** Errors that refuse the whole connection, until somebody changes something. */
const REFUSALS: ReadonlySet<string> = new Set(['E_TOKEN', 'E_TLS'])

/**
 * Starts an agent: samples this host on a steady grid and sends, each message numbered, until it is acknowledged.
 *
 *     sample ─▶ backlog ─▶ (connected) line by line, in order ─▶ ack: forgotten
 *                  ▲                                              │
 *                  └──── reconnect: hello, welcome {seq}: go on behind it
 */
export function startAgent(config: AgentConfig, deps: AgentDeps): Agent {
  const { clock, random, net, logLine } = deps
  const backlog = deps.backlog ?? new MessageQueue(QUEUE_MAX, random.hex(ID_BYTES))
  const closing = new AbortController()
  let socket: Socket | null = null
  /** Null until the collector's welcome. */
  let sentSeq: number | null = null
  let acked = 0
  let backoffMs = BACKOFF_MS_MIN
  /** Since when the collector owes an answer; null when it owes none. */
  let owedSinceMs: number | null = null
  /** Whether this outage's losses were said, and how many had been lost when any last were. */
  let lossSaid = false
  let lostSaid = 0
  /** Why the collector refused the last connection; said once until the next welcome. */
  let refusal = ''
  let whenAcked = () => {}
  /** Samples lost that the collector was told of, and those that it is being told of. */
  let lostTold = 0
  let lostTelling = 0
  let sending: Promise<void> | null = null
  let wanted = false

  async function sampleOnce() {
    giveUpOnSilence()
    try {
      const gauges = await deps.sample()
      if (closing.signal.aborted) return
      await backlog.push({ names: [config.service, config.hostName], timeMs: clock.nowMs(), gauges })
      if (backlog.lost > Math.max(lostTold, lostSaid) && !lossSaid) {
        logLine(`agent: ${counted(backlog.lost - lostTold)} lost so far; the collector will hear how many`)
        lossSaid = true
        lostSaid = backlog.lost
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
    wanted = true
    sending ??= sendWanted()
  }

  async function sendWanted() {
    while (wanted) {
      wanted = false
      await sendAll().catch((error) => logLine(`agent: ${describeError(error)}`))
    }
    // In the same turn as the last look at `wanted`: nothing can slip in between.
    sending = null
  }

  /** Sends what waits and fits into the window, in order. */
  async function sendAll() {
    for (;;) {
      const link = socket
      const from = sentSeq
      if (link === null || from === null || closing.signal.aborted) return
      const room = Math.min(BATCH_MAX, WINDOW_MAX - (from - acked))
      const messages = room > 0 ? await backlog.after(from, room) : []
      // Meanwhile the connection may have been lost, or another welcome come.
      if (socket !== link || sentSeq !== from) continue
      if (messages.length === 0) return
      for (const message of messages) link.write(`${toLine(host, { ...message, agent: backlog.agent })}\n`)
      sentSeq = messages.at(-1)!.seq
      owedSinceMs ??= clock.nowMs()
      if (messages.length === BATCH_MAX) await sleep(clock, BATCH_PAUSE_MS, closing.signal)
    }
  }

  function receive(answer: Answer) {
    owedSinceMs = null
    if (answer.kind === 'welcome') void welcomed(answer.seq)
    else if (answer.kind === 'ack') settled(answer.seq)
    else if (REFUSALS.has(answer.code)) refused(answer.code, answer.message)
    else logLine(`agent: the collector says: ${answer.message} (${answer.code})`)
  }

  /** Only somebody's doing helps, so it tries again slowly. */
  function refused(code: string, message: string) {
    backoffMs = BACKOFF_MS_MAX
    if (message === refusal) return
    refusal = message
    const { hint } = ERRORS[code as keyof typeof ERRORS]
    logLine(`agent: the collector refuses: ${message} (${code}); ${hint}; trying again slowly`)
  }

  async function welcomed(seq: number) {
    backoffMs = BACKOFF_MS_MIN
    refusal = ''
    if (lostTelling > 0) logLine(`agent: the collector knows that ${counted(lostTelling)} lost`)
    lostTold += lostTelling
    backlog.told(lostTelling)
    lostTelling = 0
    if (seq > backlog.highestSeq) {
      logLine('agent: another sender used this id; taking a new one')
      const link = socket
      await backlog
        .renumber(random.hex(ID_BYTES))
        .catch((error) => logLine(`agent: no new id: ${describeError(error)}`))
      acked = 0
      link?.destroy()
      return
    }
    settled(seq)
    sentSeq = seq
    send()
  }

  function settled(seq: number) {
    acked = Math.max(acked, seq)
    backlog.settled(seq)
    if (backlog.size === 0) {
      lossSaid = false
      whenAcked()
    }
    send()
    if (sentSeq !== null && sentSeq > acked) owedSinceMs ??= clock.nowMs()
  }

  async function connectOnce(): Promise<void> {
    const token = await deps.token?.()
    const link = await openLink(net, config, closing.signal, {
      receive,
      stranger: () => logLine(`agent: what answers at ${config.host}:${config.port} is no collector`),
    })
    socket = link.socket
    owedSinceMs = clock.nowMs()
    lostTelling = backlog.lost - lostTold
    const lost = lostTelling > 0 ? { lost: lostTelling } : {}
    socket.write(`${JSON.stringify({ hello: 1, agent: backlog.agent, ...(token && { token }), ...lost })}\n`)
    await link.gone
    socket = null
    sentSeq = null
    owedSinceMs = null
  }

  async function stayConnected() {
    let said = ''
    while (!closing.signal.aborted) {
      try {
        await connectOnce()
        said = ''
      } catch (error) {
        const why = describeError(error)
        if (why !== said && !closing.signal.aborted) logLine(`agent: ${why}; trying again`)
        said = why
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
      agent: backlog.agent,
      queued: backlog.size,
      lost: backlog.lost,
      acked,
    }),
    async close() {
      stopSampling()
      const enough = new AbortController()
      const limit = sleep(clock, CLOSE_MS_MAX, enough.signal)
      if (backlog.size > 0 && sentSeq !== null) {
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
      await sending
      await backlog.close()
    },
  }
}

function counted(samples: number): string {
  return samples === 1 ? '1 sample is' : `${samples} samples are`
}
