import type { Log } from '../log/port.ts'
import type { Senders } from '../log/senders.ts'
import type { Dataset } from '../schemas/dataset.ts'
import type { Access } from '../schemas/ports/access.ts'
import { type Clock, sleep } from '../schemas/ports/clock.ts'
import type { Disk } from '../schemas/ports/disk.ts'
import type { Net } from '../schemas/ports/net.ts'
import { HOUR_MS } from '../schemas/time.ts'
import { Blocks } from './intake/blocks.ts'
import type { Counts } from './intake/counts.ts'
import { DatasetIntake } from './intake/dataset-intake.ts'
import { CLOSE_MS_MAX, GOODBYE_MS_MAX, PENDING_BYTES_MAX, REFUSED_CONNECTIONS_MAX } from './intake/limits.ts'
import { Rejects } from './intake/rejects.ts'
import { Sessions } from './intake/sessions.ts'
import { Connection } from './ndjson/connection.ts'
import { LineDecoder } from './ndjson/decode/decoder.ts'
import { LineBuffer } from './ndjson/decode/line-buffer.ts'
import { LINE_BUFFER_BYTES } from './ndjson/line-splitter.ts'
import type { Shared } from './ndjson/shared.ts'

export interface CollectorConfig {
  readonly host: string
  /** 0 takes a free one. */
  readonly port: number
  readonly blockMessages?: number
  readonly lingerMs?: number
  /** Messages with an earlier time are refused. */
  readonly oldestMs?: number
  readonly connectionsMax?: number
  readonly idleMs?: number
  /** Distinct names within a day. */
  readonly servicesMax?: number
  readonly hostsMax?: number
  /** Bytes acknowledged and not yet in the lake; while there are more, nothing is read. */
  readonly unsealedBytesMax?: number
}

export interface CollectorDeps {
  readonly log: Log
  /** What may be sent. */
  readonly datasets: readonly Dataset[]
  /** What the log knows of numbered senders. */
  readonly senders: Senders
  readonly net: Net
  readonly clock: Clock
  readonly disk: Disk
  /** Folder of refused lines. */
  readonly rejectsDir: string
  /** Who may send; absent: anyone. */
  readonly access?: Access
  logLine(line: string): void
}

export interface Collector {
  readonly host: string
  readonly port: number
  status(): CollectorStatus
  /** Stops accepting, makes what was delivered durable and acknowledges it, closes every connection. */
  close(): Promise<void>
}

export interface CollectorStatus extends Counts {
  readonly state: 'ok' | 'waiting'
  readonly reason: string | null
  readonly connections: number
  /** Accepted lately. */
  readonly messagesPerSecond: number
  /** Refused lines that could not be kept. */
  readonly unkeptRejects: number
}

const DEFAULTS = {
  blockMessages: 50,
  lingerMs: 250,
  oldestMs: Date.UTC(2000, 0, 1),
  connectionsMax: 10_000,
  idleMs: 15 * 60_000,
  servicesMax: 10_000,
  hostsMax: 100_000,
  unsealedBytesMax: 8 * 2 ** 30,
}

/**
 * Starts the collector: accepts senders, checks their lines, gathers them into blocks, appends those to the log and
 * acknowledges what is durable. Throws `E_LISTEN`.
 */
export async function startCollector(config: CollectorConfig, deps: CollectorDeps): Promise<Collector> {
  const { log, clock } = deps
  const settings = { ...DEFAULTS, ...config }
  const connections = new Set<Connection>()
  const counts: Counts = { accepted: 0, repeats: 0, refused: 0, ignoredFields: 0, lostByAgents: 0 }
  const intakes = new Map(
    deps.datasets.map((dataset) => [dataset.name, new DatasetIntake(dataset, settings)]),
  )
  const blocks = new Blocks(settings, { ...deps, datasets: intakes.values() })
  const lineBuffer = new LineBuffer(LINE_BUFFER_BYTES)
  const decoders = new Map(
    Array.from(intakes, ([name, intake]) => [name, new LineDecoder(lineBuffer, intake)]),
  )
  const rejects = new Rejects(deps.disk, deps.rejectsDir, { logLine: deps.logLine, relieved })
  const pendingBytes = () => log.pendingBytes() + rejects.pendingBytes
  const isBehind = () => log.uncoveredBytes() > settings.unsealedBytesMax
  let congested = false
  let roomMadeAt = Number.NaN
  let whenGone = () => {}

  const shared: Shared = {
    ...settings,
    clock,
    lineBuffer,
    decoders,
    intakes,
    makeRoom,
    blocks,
    rejects,
    access: deps.access ?? null,
    counts,
    sessions: new Sessions(deps.senders),
    congested() {
      if (!congested && (pendingBytes() > PENDING_BYTES_MAX || isBehind())) {
        congested = true
        // At once: thousands that each deliver once more are far above the limit together.
        for (const connection of connections) connection.flow()
      }
      return congested
    },
  }

  function gone(connection: Connection) {
    connections.delete(connection)
    if (connections.size === 0) whenGone()
  }

  /** Names not seen for a day are forgotten, once an hour at most. */
  function makeRoom(): boolean {
    const hour = Math.floor(clock.nowMs() / HOUR_MS)
    if (hour === roomMadeAt) return false
    roomMadeAt = hour
    blocks.flush()
    for (const decoder of decoders.values()) decoder.forget()
    return Array.from(intakes.values(), (intake) => intake.forgetOld(hour)).includes(true)
  }

  function relieved() {
    if (!congested || pendingBytes() > PENDING_BYTES_MAX / 2 || isBehind()) return
    congested = false
    // Those whose lines are refused come last, else they would fill what is free again and again.
    const [trusted, doubted] = [true, false].map((is) => [...connections].filter((one) => one.trusted === is))
    for (const connection of [...trusted!, ...doubted!]) {
      if (congested) return
      // Whoever has had a turn is last in the next.
      connections.delete(connection)
      connections.add(connection)
      connection.flow()
    }
  }
  const stopFollowing = log.onAppend(relieved)
  const stopChecking = deps.access?.onChange(() => {
    for (const connection of connections) connection.tokenCheck.check()
  })

  const listener = await deps.net.listen(settings.host, settings.port, (socket) => {
    const above = connections.size - settings.connectionsMax
    if (above >= REFUSED_CONNECTIONS_MAX) return socket.destroy()
    const connection: Connection = new Connection(socket, shared, () => gone(connection))
    connections.add(connection)
    if (above >= 0)
      connection.refuse('E_CONNECTIONS', `${settings.connectionsMax} connections are open already`)
  })

  /** Resolves when every connection is gone, or after `ms`. */
  async function allGone(ms: number): Promise<void> {
    if (connections.size === 0) return
    const enough = new AbortController()
    whenGone = () => enough.abort()
    await sleep(clock, ms, enough.signal)
  }

  return {
    host: listener.host,
    port: listener.port,
    status() {
      const { state, reason } = log.state()
      const behind = isBehind()
        ? `sealing is ${log.uncoveredBytes()} bytes behind; senders wait for it`
        : null
      return {
        ...counts,
        state: state === 'ok' && behind === null ? 'ok' : 'waiting',
        reason: reason ?? behind,
        connections: connections.size,
        messagesPerSecond: blocks.perSecond(),
        unkeptRejects: rejects.unkept,
      }
    },
    async close() {
      await listener.close()
      for (const connection of connections) connection.finish()
      const enough = new AbortController()
      await Promise.race([
        Promise.all([blocks.settled(), rejects.close()]),
        sleep(clock, CLOSE_MS_MAX, enough.signal),
      ])
      enough.abort()
      stopFollowing()
      stopChecking?.()
      blocks.discard()
      for (const connection of connections) connection.hangUp()
      await allGone(GOODBYE_MS_MAX)
      for (const connection of connections) connection.destroy()
    },
  }
}
