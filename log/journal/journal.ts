import { describeError, isError } from '../../schemas/errors.ts'
import { type Clock, sleep } from '../../schemas/ports/clock.ts'
import type { Disk } from '../../schemas/ports/disk.ts'
import { mergeGaps, offsetIn, type Position } from '../../schemas/position.ts'
import type { Log, LogSlice, LogState } from '../port.ts'
import type { AgentState, Senders } from '../senders.ts'
import { StoredBlock } from '../stored-block.ts'
import { RECORD_HEAD_BYTES, writeRecordHead } from './format.ts'
import type { KnownAgents } from './known-agents.ts'
import { JournalReader } from './reader.ts'
import { createSegment, recover } from './recovery.ts'
import { addRecord, closedError, type Segment } from './segment.ts'
import { Tail } from './tail.ts'

export interface JournalConfig {
  readonly dir: string
  /** Who holds the lock, for the error of who comes second. */
  readonly holder: string
  /** Highest positions that the lake names: the journal must not hold less. */
  readonly floor: Position
  /**
   * Called before a partition is begun: from then on nothing that another process began lands in the lake. Resolves with the
   * highest positions that the lake names then.
   */
  readonly fenceLake?: () => Promise<Position>
  /** What the lake knows of the agents: asked where the journal that knew is gone or damaged. */
  readonly agentsInLake?: () => Promise<ReadonlyMap<string, AgentState>>
  readonly segmentBytesMax?: number
}

export interface JournalDeps {
  readonly disk: Disk
  readonly clock: Clock
  logLine(line: string): void
}

const SEGMENT_BYTES_MAX = 64 << 20
/** Bytes that share one write and one sync, at most. */
const GROUP_BYTES_MAX = 4 << 20
/** Time between two tries while the disk is full or fails. */
const RETRY_MS = 1_000

interface Pending {
  readonly offset: number
  readonly logTimeMs: number
  readonly payload: Uint8Array
  readonly resolve: (offset: number) => void
  readonly reject: (error: Error) => void
}

/** Opens the journal in `dir`, alone: throws `E_LOCKED` naming the holder, `E_JOURNAL_VERSION`, `E_DISK`. */
export async function openJournal(config: JournalConfig, deps: JournalDeps): Promise<Journal> {
  await deps.disk.makeDir(config.dir)
  const lock = await deps.disk.lock(`${config.dir}/lock`, config.holder)
  try {
    const { segments, agents } = await recover(config, deps)
    return new Journal(config, deps, { segments, agents, release: () => lock.release() })
  } catch (error) {
    await lock.release()
    throw error
  }
}

/**
 * The embedded log: append-only segments, written in groups.
 *
 *     append ─▶ queue ─┐
 *     append ─▶ queue ─┼─▶ one write, one sync ─▶ visible: end(), readers, acknowledgements
 *     append ─▶ queue ─┘   (the commit point is the return of the sync)
 *
 * While a group is being synced the next one gathers, so durability costs a sync per group. After a failed write or
 * sync the file is cut back to what was synced before anything else is written, and the group is tried again.
 */
export class Journal implements Log {
  /** The one it has. */
  readonly partition: number
  readonly senders: Senders
  readonly #config: JournalConfig
  readonly #deps: JournalDeps
  readonly #segments: Segment[]
  readonly #agents: KnownAgents
  readonly #release: () => Promise<void>
  readonly #tail = new Tail()
  readonly #reader: JournalReader
  readonly #listeners = new Set<() => void>()
  readonly #closing = new AbortController()
  #queue: Pending[] = []
  /** Where groups are put together, one after the other. */
  #group: Buffer = Buffer.alloc(0)
  #pendingBytes = 0
  #nextOffset: number
  #lastMs: number
  #end: number
  /** As far as is known, the lake holds everything up to here. */
  #coveredTo: number
  #flushing: Promise<void> | null = null
  #trouble: { state: 'disk_full' | 'failed'; reason: string } | null = null

  constructor(
    config: JournalConfig,
    deps: JournalDeps,
    opened: { segments: Segment[]; agents: KnownAgents; release: () => Promise<void> },
  ) {
    this.#config = config
    this.#deps = deps
    this.#segments = opened.segments
    this.#agents = opened.agents
    this.senders = opened.agents
    this.#release = opened.release
    this.#reader = new JournalReader(this.#segments, this.#tail, deps.logLine)
    const { partition, index } = this.#active
    this.partition = partition
    this.#end = index!.to
    this.#nextOffset = index!.to + 1
    this.#lastMs = index!.toMs
    this.#coveredTo = offsetIn(config.floor, partition)
  }

  get #active(): Segment {
    return this.#segments.at(-1)!
  }

  partitions(): readonly number[] {
    return [this.partition]
  }

  append(partition: number, payload: Uint8Array): Promise<number> {
    this.#own(partition)
    if (this.#closing.signal.aborted) return Promise.reject(closedError())
    this.#lastMs = Math.max(this.#lastMs, this.#deps.clock.nowMs())
    const offset = this.#nextOffset++
    const logTimeMs = this.#lastMs
    this.#pendingBytes += payload.length
    return new Promise((resolve, reject) => {
      this.#queue.push({ offset, logTimeMs, payload, resolve, reject })
      this.#flushing ??= this.#flush()
    })
  }

  /** A partition of another journal is never asked for. */
  #own(partition: number): void {
    if (partition !== this.partition)
      throw new Error(`the journal holds partition ${this.partition}, not ${partition}`)
  }

  async #flush(): Promise<void> {
    // Whatever is appended in this turn of the event loop goes into the first group.
    await Promise.resolve()
    while (this.#queue.length > 0) {
      const group = this.#takeGroup()
      try {
        if (this.#trouble !== null) await this.#cutBack()
        await this.#write(group)
        this.#recovered()
      } catch (error) {
        this.#queue = [...group, ...this.#queue]
        this.#failed(error)
        await sleep(this.#deps.clock, RETRY_MS, this.#closing.signal)
        if (this.#closing.signal.aborted) return
      }
    }
    // In the same turn as the last look at the queue: nothing can slip in between.
    this.#flushing = null
  }

  #takeGroup(): Pending[] {
    let bytes = 0
    let n = 0
    while (n < this.#queue.length && (n === 0 || bytes < GROUP_BYTES_MAX))
      bytes += this.#queue[n++]!.payload.length
    return this.#queue.splice(0, n)
  }

  async #write(group: Pending[]): Promise<void> {
    const bytes = group.reduce((sum, { payload }) => sum + RECORD_HEAD_BYTES + payload.length, 0)
    const max = this.#config.segmentBytesMax ?? SEGMENT_BYTES_MAX
    if (this.#active.syncedBytes + bytes > max && this.#active.index!.offsets.length > 0) await this.#roll()
    const segment = this.#active
    const start = segment.syncedBytes
    if (this.#group.length < bytes) this.#group = Buffer.from(new ArrayBuffer(bytes))
    const buffer = this.#group.subarray(0, bytes)
    let at = 0
    const positions: number[] = []
    for (const pending of group) {
      positions.push(start + at)
      writeRecordHead(buffer, at, { ...pending, syncedTo: start })
      buffer.set(pending.payload, at + RECORD_HEAD_BYTES)
      at += RECORD_HEAD_BYTES + pending.payload.length
    }
    await segment.file.write(start, buffer)
    await segment.file.sync()
    segment.syncedBytes = start + bytes
    group.forEach((pending, i) => {
      this.#visible(pending, positions[i]!)
    })
    this.#changed()
  }

  #changed(): void {
    for (const fn of [...this.#listeners]) fn()
  }

  #visible({ offset, logTimeMs, payload, resolve }: Pending, position: number): void {
    addRecord(this.#active.index!, offset, position, logTimeMs)
    this.#agents.add(payload, logTimeMs)
    this.#tail.push(new StoredBlock(this.partition, offset, logTimeMs, payload))
    this.#end = offset
    this.#pendingBytes -= payload.length
    resolve(offset)
  }

  /** Begins the next segment, with the state after exactly the blocks before it. */
  async #roll(): Promise<void> {
    const { to, toMs } = this.#active.index!
    const next = await createSegment(this.#deps.disk, this.#config.dir, {
      partition: this.partition,
      firstOffset: to + 1,
      logTimeMs: toMs,
      agents: this.#agents.at(toMs),
    })
    this.#segments.push(next)
    this.#reader.forgetIndexes()
  }

  async #cutBack(): Promise<void> {
    const { file, syncedBytes } = this.#active
    await file.truncate(syncedBytes)
    await file.sync()
  }

  #failed(error: unknown): void {
    const state = isError(error, 'E_DISK_FULL') ? 'disk_full' : 'failed'
    if (this.#trouble === null)
      this.#deps.logLine(`journal: ${describeError(error)}; nothing is acknowledged until it works again`)
    this.#trouble = { state, reason: describeError(error) }
    this.#changed()
  }

  #recovered(): void {
    if (this.#trouble !== null) this.#deps.logLine('journal: writing again')
    this.#trouble = null
  }

  pendingBytes(): number {
    return this.#pendingBytes
  }

  uncoveredBytes(): number {
    let bytes = 0
    for (let i = this.#segments.length - 1; i >= 0 && this.#segments[i]!.firstOffset > this.#coveredTo; i--)
      bytes += this.#segments[i]!.syncedBytes
    return bytes
  }

  covered(position: Position): void {
    const to = offsetIn(position, this.partition)
    if (to <= this.#coveredTo) return
    this.#coveredTo = to
    this.#changed()
  }

  end(partition: number): number {
    this.#own(partition)
    return this.#end
  }

  start(partition: number): number {
    this.#own(partition)
    return this.#reader.start()
  }

  async read(partition: number, after: number, blocksMax: number): Promise<LogSlice> {
    this.#own(partition)
    return this.#reader.read(after, blocksMax)
  }

  /** Oldest first, each durably before the next: what a crash keeps has no hole that reads as damage. */
  async trim(position: Position): Promise<void> {
    const to = offsetIn(position, this.partition)
    while (this.#segments.length > 1 && this.#segments[1]!.firstOffset - 1 <= to) {
      const oldest = this.#segments[0]!
      await this.#deps.disk.remove(oldest.path)
      await this.#deps.disk.syncDir(this.#config.dir)
      // Another call may have been faster.
      if (this.#segments[0] !== oldest) continue
      this.#segments.shift()
      await oldest.file.close()
    }
  }

  onAppend(fn: () => void): () => void {
    this.#listeners.add(fn)
    return () => void this.#listeners.delete(fn)
  }

  state(): LogState {
    const bytes = this.#segments.reduce((sum, { syncedBytes }) => sum + syncedBytes, 0)
    const { state, reason } = this.#trouble ?? { state: 'ok' as const, reason: null }
    return {
      state,
      reason,
      bytes,
      segments: this.#segments.length,
      pendingBytes: this.#pendingBytes,
      uncoveredBytes: this.uncoveredBytes(),
      gaps: mergeGaps(...this.#segments.map(({ index }) => index?.gaps ?? [])),
    }
  }

  /** Makes what was appended durable, unless the disk fails; whoever still waits then gets `E_CLOSED`. */
  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return
    this.#closing.abort()
    await this.#flushing
    for (const { reject } of this.#queue) reject(closedError())
    for (const { file } of this.#segments) await file.close()
    await this.#release()
  }
}
