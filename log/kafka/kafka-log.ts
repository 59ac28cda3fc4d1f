import { describeError, TidemarkError } from '../../schemas/errors.ts'
import type { Clock, Random } from '../../schemas/ports/clock.ts'
import { offsetIn, type Position } from '../../schemas/position.ts'
import { BlockDecoder } from '../block-decoder.ts'
import { KnownAgents } from '../journal/known-agents.ts'
import { LogTime } from '../journal/log-time.ts'
import type { Log, LogSlice, LogState } from '../port.ts'
import type { Senders } from '../senders.ts'
import { blocksOf, readable } from './blocks-of.ts'
import { Chain, closed } from './chain.ts'
import type { Fetched, KafkaClient, PartitionOffsets, TopicSpec } from './client.ts'
import { GroupOwnership } from './group-ownership.ts'
import { encodeRecordHeader, ID_BYTES } from './record.ts'

export interface KafkaLogDeps {
  readonly client: KafkaClient
  readonly clock: Clock
  readonly random: Random
  logLine(line: string): void
}

/** Time between two looks at where the partitions end. */
const POLL_MS = 200
/** Bytes of one read. */
const READ_BYTES_MAX = 4 << 20
/** Readers try again within this time: a failed read that is older is of a partition that nobody reads here any more. */
const READ_TROUBLE_MS = 60_000

/** What a broker was asked for. */
type Asked = 'append' | 'read' | 'look'

/** Opens the topic, made when there is none. Throws `E_LOG` when the brokers cannot be reached. */
export async function openKafkaLog(spec: TopicSpec, deps: KafkaLogDeps): Promise<KafkaLog> {
  try {
    const count = await deps.client.openTopic(spec)
    return new KafkaLog(count, await deps.client.offsets(), deps)
  } catch (error) {
    await deps.client.close().catch(() => {})
    throw new TidemarkError('E_LOG', `the log on Kafka cannot be opened: ${describeError(error)}`, {
      cause: error,
    })
  }
}

/**
 * A log over a Kafka topic. Several collectors append to it, so a block or message may stand in it twice: readers drop repeats.
 * What waits to be durable is bounded by the appending side (`pendingBytes`), what is known of senders as in the journal's heads.
 * `end` is what the last look at the brokers, the last read or the last own append said; it never goes back.
 */
export class KafkaLog implements Log {
  readonly repeats = true
  /** Knows what this process appended. */
  readonly senders: Senders
  readonly #deps: KafkaLogDeps
  readonly #partitions: readonly number[]
  readonly #offsets = new Map<number, PartitionOffsets>()
  readonly #chains = new Map<number, Chain>()
  readonly #decoder = new BlockDecoder()
  readonly #agents = new KnownAgents(this.#decoder)
  readonly #logTime: LogTime
  readonly #listeners = new Set<() => void>()
  readonly #ends = new Map<number, number>()
  /** Log time of the last block read. */
  readonly #readMs = new Map<number, number>()
  #pendingBytes = 0
  /** Why brokers do not answer, by what was asked of them. */
  readonly #troubles = new Map<Asked, string>()
  #readFailedMs = 0
  #closed = false
  #cancelPoll = () => {}
  #polling: Promise<void> | null = null

  constructor(count: number, offsets: ReadonlyMap<number, PartitionOffsets>, deps: KafkaLogDeps) {
    this.#deps = deps
    this.senders = this.#agents
    this.#logTime = new LogTime(deps.clock, 0)
    this.#partitions = Array.from({ length: count }, (_, partition) => partition)
    for (const partition of this.#partitions) {
      this.#learn(partition, offsets.get(partition)!)
      const told = {
        failed: (reason: string) => this.#failed('append', reason),
        acknowledged: (bytes: number, last: number) => {
          this.#pendingBytes -= bytes
          this.#learn(partition, { first: 0, next: last + 1 })
          this.#works('append')
          // Also when a look at the brokers has seen them before: senders may wait for fewer pending bytes.
          this.#changed()
        },
      }
      this.#chains.set(partition, new Chain(partition, deps, told))
    }
    this.#arm()
  }

  partitions(): readonly number[] {
    return this.#partitions
  }

  /** Shares the partitions with the other processes that join `group`. To be closed before the log. */
  share(group: string): GroupOwnership {
    return new GroupOwnership(group, this.#deps)
  }

  async append(partition: number, payload: Uint8Array): Promise<number> {
    if (this.#closed) throw closed()
    const logTimeMs = this.#logTime.next()
    const id = this.#deps.random.hex(ID_BYTES)
    const value = Buffer.from(payload.buffer, payload.byteOffset, payload.length)
    this.#pendingBytes += value.length
    const record = { value, header: encodeRecordHeader(logTimeMs, id) }
    const offset = await this.#chains.get(partition)!.append(record)
    this.#agents.add(payload, logTimeMs)
    this.#agents.forget(logTimeMs)
    return offset
  }

  end(partition: number): number {
    return this.#ends.get(partition) ?? -1
  }

  start(partition: number): number {
    return this.#offsets.get(partition)!.first - 1
  }

  /** Offsets may have holes: an empty stretch of them is passed over as if it had been read. */
  async read(partition: number, after: number, blocksMax: number): Promise<LogSlice> {
    if (after < this.start(partition)) throw this.#trimmed(partition, after)
    const end = this.end(partition)
    if (after >= end) return { blocks: [], gaps: [], to: after, toMs: 0 }
    const fetched = await this.#fetch(partition, after)
    if (after < this.start(partition)) throw this.#trimmed(partition, after)
    return this.#sliceOf(partition, after, fetched, blocksMax)
  }

  async #fetch(partition: number, after: number): Promise<Fetched> {
    try {
      const limits = { bytesMax: READ_BYTES_MAX, waitMs: 0 }
      const fetched = await this.#deps.client.fetch(partition, after + 1, limits)
      this.#works('read')
      if (this.#learn(partition, fetched.offsets)) this.#changed()
      return fetched
    } catch (error) {
      // What a trim deleted meanwhile is no trouble of the brokers.
      await this.#look().catch(() => {})
      if (after < this.start(partition)) throw this.#trimmed(partition, after)
      this.#readFailedMs = this.#deps.clock.nowMs()
      this.#failed('read', describeError(error))
      throw new TidemarkError('E_LOG', `partition ${partition} cannot be read: ${describeError(error)}`, {
        cause: error,
      })
    }
  }

  #sliceOf(partition: number, after: number, { records, offsets }: Fetched, blocksMax: number): LogSlice {
    const taken = readable(partition, records.slice(0, blocksMax))
    // Before the first block, and where there is only a hole, it is that of what was read before.
    const beforeMs = this.#readMs.get(partition) ?? 0
    const { blocks, gaps, toMs } = blocksOf(this.#decoder, partition, taken, beforeMs)
    this.#readMs.set(partition, toMs)
    // Nothing there although it has not ended: only a hole is left, as transactions leave them.
    const to = taken.at(-1)?.offset ?? Math.max(after, offsets.next - 1)
    return { blocks, gaps, to, toMs }
  }

  #trimmed(partition: number, after: number): TidemarkError {
    const start = this.start(partition)
    return new TidemarkError('E_TRIMMED', `partition ${partition} begins after block ${start}, not ${after}`)
  }

  covered(_position: Position): void {}

  async trim(position: Position): Promise<void> {
    for (const partition of this.#partitions) {
      const to = Math.min(offsetIn(position, partition), this.end(partition))
      if (to <= this.start(partition)) continue
      await this.#deps.client.deleteBelow(partition, to + 1)
      this.#learn(partition, { first: to + 1, next: to + 1 })
    }
  }

  /** Whether the end grew. */
  #learn(partition: number, { first, next }: PartitionOffsets): boolean {
    const known = this.#offsets.get(partition) ?? { first: 0, next: 0 }
    this.#offsets.set(partition, {
      first: Math.max(known.first, first),
      next: Math.max(known.next, next),
    })
    this.#ends.set(partition, Math.max(known.next, next) - 1)
    return next > known.next
  }

  #arm(): void {
    if (this.#closed) return
    this.#cancelPoll = this.#deps.clock.after(POLL_MS, () => {
      this.#polling = this.#look()
        .catch((error: unknown) => this.#failed('look', describeError(error)))
        .then(() => this.#arm())
    })
  }

  async #look(): Promise<void> {
    const offsets = await this.#deps.client.offsets()
    this.#works('look')
    if (this.#deps.clock.nowMs() - this.#readFailedMs > READ_TROUBLE_MS) this.#works('read')
    let grew = false
    for (const [partition, known] of offsets)
      if (this.#partitions.includes(partition)) grew = this.#learn(partition, known) || grew
    if (grew) this.#changed()
  }

  #failed(asked: Asked, reason: string): void {
    if (this.#closed) return
    if (this.#troubles.size === 0)
      this.#deps.logLine(`log: Kafka does not answer (${reason}); nothing is acknowledged until it does`)
    this.#troubles.set(asked, reason)
    this.#changed()
  }

  #works(asked: Asked): void {
    if (!this.#troubles.delete(asked) || this.#troubles.size > 0) return
    this.#deps.logLine('log: Kafka answers again')
    this.#changed()
  }

  #changed(): void {
    for (const fn of [...this.#listeners]) {
      try {
        fn()
      } catch (error) {
        this.#deps.logLine(`log: a listener failed: ${describeError(error)}`)
      }
    }
  }

  onAppend(fn: () => void): () => void {
    this.#listeners.add(fn)
    return () => void this.#listeners.delete(fn)
  }

  leastClockMs(): number {
    return this.#logTime.leastMs()
  }

  pendingBytes(): number {
    return this.#pendingBytes
  }

  /** The brokers keep what is not in the lake yet; how much disk they have is for them to say. */
  uncoveredBytes(): number {
    return 0
  }

  state(): LogState {
    const { pendingBytes, uncoveredBytes } = { pendingBytes: this.#pendingBytes, uncoveredBytes: 0 }
    const [reason = null] = this.#troubles.values()
    const state = reason === null ? 'ok' : 'failed'
    return { state, reason, bytes: 0, segments: 0, pendingBytes, uncoveredBytes, gaps: [] }
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#cancelPoll()
    this.#logTime.close()
    await this.#polling
    await Promise.all([...this.#chains.values()].map((chain) => chain.close()))
    await this.#deps.client.close()
  }
}
