import { describeError, isError } from '../../schemas/errors.ts'
import { type Clock, type Random, sleep } from '../../schemas/ports/clock.ts'
import type { Disk } from '../../schemas/ports/disk.ts'
import { mergeGaps, offsetIn, type Position } from '../../schemas/position.ts'
import { BlockDecoder } from '../block-decoder.ts'
import type { Log, LogSlice, LogState } from '../port.ts'
import type { Senders } from '../senders.ts'
import { StoredBlock } from '../stored-block.ts'
import { GroupBuffer, groupSize, type Pending, recordBytes } from './group.ts'
import type { KnownAgents } from './known-agents.ts'
import { LogTime } from './log-time.ts'
import { JournalReader } from './reader.ts'
import { type Recovered, type RecoveryConfig, recover } from './recovery.ts'
import { addRecord, bytesAfter, closedError, createSegment, type Segment } from './segment.ts'
import { MARK_BYTES } from './segment-name.ts'
import { Tail } from './tail.ts'

export interface JournalConfig extends RecoveryConfig {
  /** What holds the lock, for the error of a second process. */
  readonly holder: string
  /** Bytes of blocks in a segment. */
  readonly segmentBytesMax?: number
}

export interface JournalDeps {
  readonly disk: Disk
  readonly clock: Clock
  readonly random: Random
  logLine(line: string): void
}

/** Bytes of blocks in a segment. */
const SEGMENT_BYTES_MAX = 64 << 20
/** A segment with a long head, of many agents, takes so many times as many bytes of blocks: heads stay a small part of all. */
const BLOCKS_PER_HEAD = 8
/** Time between two tries while the disk is full or fails. */
const RETRY_MS = 1_000

/** Opens the journal in `dir`, alone: throws `E_LOCKED` naming the holder, `E_JOURNAL_VERSION`, `E_DISK`. */
export async function openJournal(config: JournalConfig, deps: JournalDeps): Promise<Journal> {
  await deps.disk.makeDir(config.dir)
  const lock = await deps.disk.lock(`${config.dir}/lock`, config.holder)
  try {
    const decoder = new BlockDecoder()
    const recovered = await recover(config, { ...deps, decoder })
    return new Journal(config, { ...deps, decoder }, { ...recovered, release: () => lock.release() })
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
  readonly #deps: JournalDeps & { readonly decoder: BlockDecoder }
  readonly #segments: Segment[]
  readonly #agents: KnownAgents
  /** That of the segments to come: one and the same, so that a roll that fails leaves one file however often it is tried. */
  readonly #mark: string
  readonly #logTime: LogTime
  readonly #release: () => Promise<void>
  readonly #tail = new Tail()
  readonly #reader: JournalReader
  readonly #listeners = new Set<() => void>()
  readonly #closing = new AbortController()
  #queue: Pending[] = []
  #cuts: PromiseWithResolvers<Position>[] = []
  readonly #buffer = new GroupBuffer()
  #pendingBytes = 0
  #nextOffset: number
  #end: number
  /** As far as is known, the lake holds everything up to here. */
  #coveredTo: number
  #flushing: Promise<void> | null = null
  #trouble: { state: 'disk_full' | 'failed'; reason: string } | null = null

  constructor(
    config: JournalConfig,
    deps: JournalDeps & { readonly decoder: BlockDecoder },
    opened: Recovered & { release(): Promise<void> },
  ) {
    this.#config = config
    this.#deps = deps
    this.#segments = opened.segments
    this.#agents = opened.agents
    this.senders = opened.agents
    this.#mark = deps.random.hex(MARK_BYTES)
    this.#release = () => opened.release()
    this.#reader = new JournalReader(this.#segments, this.#tail, deps)
    const { partition, index } = this.#active
    this.partition = partition
    this.#end = index!.to
    this.#nextOffset = index!.to + 1
    this.#logTime = new LogTime(deps.clock, index!.toMs)
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
    const offset = this.#nextOffset++
    const logTimeMs = this.#logTime.next()
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
    while (this.#queue.length > 0 || this.#cuts.length > 0) {
      if (this.#cuts.length > 0) {
        await this.#cutNow()
        continue
      }
      const group = this.#queue.splice(0, groupSize(this.#queue))
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

  async #write(group: readonly Pending[]): Promise<void> {
    if (this.#isFull(recordBytes(group))) await this.#roll()
    const segment = this.#active
    const start = segment.syncedBytes
    const { bytes, positions } = this.#buffer.records(group, segment)
    await segment.file.write(start, bytes)
    await segment.file.sync()
    segment.syncedBytes = start + bytes.length
    group.forEach((pending, i) => {
      this.#visible(pending, positions[i]!)
    })
    this.#changed()
  }

  /** Whether so many bytes of blocks more belong into the next segment. */
  #isFull(bytes: number): boolean {
    const { syncedBytes, headBytes, index } = this.#active
    const max = Math.max(this.#config.segmentBytesMax ?? SEGMENT_BYTES_MAX, BLOCKS_PER_HEAD * headBytes)
    return syncedBytes - headBytes + bytes > max && index!.offsets.length > 0
  }

  /** What was written stays written, whatever a listener does. */
  #changed(): void {
    for (const fn of [...this.#listeners]) {
      try {
        fn()
      } catch (error) {
        this.#deps.logLine(`journal: a listener failed: ${describeError(error)}`)
      }
    }
  }

  #visible({ offset, logTimeMs, payload, resolve }: Pending, position: number): void {
    addRecord(this.#active.index!, offset, position, logTimeMs)
    this.#agents.add(payload, logTimeMs)
    const { partition } = this
    this.#tail.push(new StoredBlock(this.#deps.decoder, { partition, offset, logTimeMs }, payload))
    this.#end = offset
    this.#pendingBytes -= payload.length
    resolve(offset)
  }

  /** Begins the next segment, with the state after exactly the blocks before it. */
  async #roll(): Promise<void> {
    const { to, toMs } = this.#active.index!
    const { disk, clock } = this.#deps
    // A clock that was wrong when the last block came may be right again.
    this.#agents.forget(Math.min(toMs, clock.nowMs()))
    const id = { partition: this.partition, firstOffset: to + 1, mark: this.#mark }
    const head = { logTimeMs: toMs, agents: this.#agents.states }
    const next = await createSegment(disk, this.#config.dir, id, head)
    this.#segments.push(next)
    this.#reader.forgetIndexes()
  }

  /** Begins another segment, unless the last one is empty. */
  cut(): Promise<Position> {
    if (this.#closing.signal.aborted) return Promise.reject(closedError())
    const cut = Promise.withResolvers<Position>()
    this.#cuts.push(cut)
    this.#flushing ??= this.#flush()
    return cut.promise
  }

  /** Between two groups; the caller may try again when it fails. */
  async #cutNow(): Promise<void> {
    const cuts = this.#cuts.splice(0)
    try {
      if (this.#trouble !== null) await this.#cutBack()
      if (this.#active.index!.offsets.length > 0) await this.#roll()
      for (const { resolve } of cuts) resolve({ [this.partition]: this.#active.index!.to })
    } catch (error) {
      for (const { reject } of cuts) reject(error)
    }
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

  leastClockMs(): number {
    return this.#logTime.leastMs()
  }

  pendingBytes(): number {
    return this.#pendingBytes
  }

  uncoveredBytes(): number {
    let bytes = 0
    let i = this.#segments.length - 1
    for (; i >= 0 && this.#segments[i]!.firstOffset > this.#coveredTo; i--)
      bytes += this.#segments[i]!.syncedBytes
    return i < 0 ? bytes : bytes + bytesAfter(this.#segments[i]!, this.#coveredTo)
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

  /** Makes what was appended durable, unless the disk fails; callers that still wait then get `E_CLOSED`. */
  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return
    this.#closing.abort()
    this.#logTime.close()
    await this.#flushing
    for (const { reject } of [...this.#queue, ...this.#cuts]) reject(closedError())
    for (const { file } of this.#segments) await file.close()
    await this.#release()
  }
}
