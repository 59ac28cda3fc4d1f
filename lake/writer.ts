import type { LogReader } from '../log/port.ts'
import type { Block } from '../schemas/block.ts'
import { isError } from '../schemas/errors.ts'
import type { Clock } from '../schemas/ports/clock.ts'
import type { Sealer, Wake } from '../schemas/ports/layers.ts'
import {
  type Gap,
  highest,
  lowest,
  mergeGaps,
  offsetIn,
  type Position,
  partitionsOf,
} from '../schemas/position.ts'
import type { Snapshot, Table } from './delta/port.ts'
import { mergeSmall } from './merge.ts'
import { encodeHere, type SealEncoder } from './seal-files.ts'
import {
  coveredMs,
  coveredPosition,
  logFacts,
  messagesSchema,
  sealApp,
  viewState,
  withLogFacts,
} from './tables.ts'
import { Turns } from './turns.ts'

export interface LakeWriterConfig {
  readonly retentionMs: number
  /** Longest time between two seals. */
  readonly sealEveryMs?: number
  /** With more than half of this in the log and not in the lake it seals without being asked, long before senders wait. */
  readonly unsealedBytesMax?: number
  /** Highest positions that the lake names, for closing partitions whose log is gone. */
  readonly named: Position
}

export interface LakeWriterDeps {
  readonly log: LogReader
  readonly messages: Table
  /** Tables of every view: their tidemarks hold back the trimming of the log. */
  readonly views: readonly Table[]
  readonly clock: Clock
  readonly wake: Wake
  /** Absent: files are made in this thread. */
  readonly encoder?: SealEncoder
  logLine(line: string): void
}

export interface LakeWriter extends Sealer {
  /** Trims the log, cleans up the table and merges small files. */
  tend(): Promise<void>
  status(): LakeWriterStatus
  close(): Promise<void>
}

export interface LakeWriterStatus {
  readonly state: 'ok' | 'failing'
  readonly reason: string | null
  readonly covered: Position
  readonly version: number | null
}

const SEAL_EVERY_MS = 3_600_000
/** Bytes of blocks that one seal holds at most: what its encoding takes in memory grows with it. */
const SEAL_BYTES_MAX = 16 << 20
/** Blocks that one seal holds at most; when so many wait in the log they are sealed without being asked. */
const SEAL_BLOCKS_MAX = 4_000
/** As many as speed asks for, for the same reason. */
const BLOCKS_PER_READ = 2_048
/** With more blocks than this to seal it is urgent, until fewer than that are left. */
const URGENT_BLOCKS = 100_000
const CALM_BLOCKS = 10_000

/** A range of the log that a seal is made of. */
interface SealRange {
  readonly blocks: readonly Block[]
  readonly gaps: readonly Gap[]
  readonly to: number
  /** Log time at `to`. */
  readonly toMs: number
}

/** The part of `range` that holds its first `count` blocks. */
function upToBlock(range: SealRange, count: number): SealRange {
  if (count === range.blocks.length) return range
  const { offset, logTimeMs } = range.blocks[count - 1]!
  const gaps = range.gaps.filter((gap) => gap.to < offset)
  return { blocks: range.blocks.slice(0, count), gaps, to: offset, toMs: logTimeMs }
}

/**
 * Starts the lake writer: the only writer of `messages`. It seals ranges of the log into Parquet files,
 *
 *     log (covered, end] ─▶ rows by date ─▶ files ─▶ one commit: files + txn `seal/<partition>` = new covered
 *
 * merges small files, and trims the log below the lowest of its own position and every view's tidemark. All three go on
 * side by side, each one at a time: a run waits for its seal alone. The commit point is the Delta commit: before it nothing
 * is covered, and files that were written are orphans for the vacuum.
 */
export async function startLakeWriter(config: LakeWriterConfig, deps: LakeWriterDeps): Promise<LakeWriter> {
  const { log, messages, clock, encoder = encodeHere } = deps
  // The journal has one.
  const partition = log.partitions()[0]!
  let closed = false
  let covered: Position = {}
  let version: number | null = null
  let urgent = false
  let cancelHourly = () => {}

  seen(await messages.create(messagesSchema, { 'tidemark.created': String(clock.nowMs()) }))
  await closeLostPartitions()

  function seen(snapshot: Snapshot) {
    if (snapshot.version < (version ?? 0)) return
    covered = coveredPosition(snapshot)
    version = snapshot.version
    log.covered(covered)
  }

  /**
   * A partition that the lake names and the log no longer holds takes no more blocks: say so, and what is lost. Nothing
   * knows how far that log reached, so one offset behind the last that was named stands for all that may be missing.
   */
  async function closeLostPartitions() {
    const base = (await messages.snapshot()) as Snapshot
    // Another writer's last seal may have landed since.
    seen(base)
    const facts = logFacts(base)
    const lost = partitionsOf(config.named).filter(
      (p) => p >= 0 && p !== partition && facts.closed[p] === undefined,
    )
    if (lost.length === 0) return
    const named = highest(config.named, covered)
    const nowMs = clock.nowMs()
    const closedNow = Object.fromEntries(lost.map((p) => [p, offsetIn(named, p) + 1]))
    const gaps: Gap[] = lost.map((p) => ({
      partition: p,
      from: offsetIn(covered, p),
      to: closedNow[p]!,
      fromMs: coveredMs(base, p),
      toMs: nowMs,
      reason: 'the journal that held these blocks is gone, and perhaps more behind them',
    }))
    const next = { gaps: mergeGaps(facts.gaps, gaps), closed: { ...facts.closed, ...closedNow } }
    seen(
      await messages.commit(base, {
        operation: 'CLOSE PARTITION',
        dataChange: false,
        configuration: withLogFacts(base, next),
        txns: Object.fromEntries(
          lost.map((p) => [sealApp(p), { version: closedNow[p]!, lastUpdatedMs: nowMs }]),
        ),
      }),
    )
  }

  /** Seals everything that was durable when it was called. */
  async function sealAll() {
    const target = log.end(partition)
    while (!closed) {
      const base = (await messages.snapshot()) as Snapshot
      seen(base)
      const from = offsetIn(covered, partition)
      if (from >= target) return
      await sealRange(base, from, target)
    }
  }

  async function sealRange(base: Snapshot, from: number, target: number) {
    const range = await readRange(from, target)
    if (range.to === from) return
    const behind = log.end(partition) - from
    urgent = behind > (urgent ? CALM_BLOCKS : URGENT_BLOCKS)
    const encoded = await encoder.encode(range.blocks, urgent)
    const { to, toMs, gaps } = upToBlock(range, encoded.blocks)
    const files = []
    for (const { bytes, about } of encoded.files) files.push(await messages.writeFile(bytes, about))
    const facts = logFacts(base)
    try {
      await messages.commit(base, {
        operation: 'SEAL',
        add: files,
        dataChange: true,
        txns: { [sealApp(partition)]: { version: to, lastUpdatedMs: toMs } },
        ...(gaps.length > 0
          ? { configuration: withLogFacts(base, { ...facts, gaps: mergeGaps(facts.gaps, gaps) }) }
          : {}),
        info: { from, to },
      })
    } catch (error) {
      if (!isError(error, 'E_CONFLICT')) throw error
    }
  }

  /** Blocks after `from`, as many as one seal takes. */
  async function readRange(from: number, target: number): Promise<SealRange> {
    const blocks: Block[] = []
    let gaps: Gap[] = []
    let to = from
    let toMs = 0
    let bytes = 0
    while (to < target && bytes < SEAL_BYTES_MAX && blocks.length < SEAL_BLOCKS_MAX) {
      const slice = await log.read(partition, to, Math.min(BLOCKS_PER_READ, SEAL_BLOCKS_MAX - blocks.length))
      if (slice.to === to) break
      for (const block of slice.blocks) {
        blocks.push(block)
        bytes += block.payload?.length ?? 0
      }
      gaps = mergeGaps(gaps, slice.gaps)
      to = slice.to
      toMs = slice.toMs
    }
    return { blocks, gaps, to, toMs }
  }

  async function trim() {
    seen((await messages.snapshot()) as Snapshot)
    const tidemarks = await Promise.all(
      deps.views.map(async (view) => viewState(await view.snapshot())?.tidemark ?? {}),
    )
    await log.trim(lowest(covered, ...tidemarks))
  }

  async function cleanUp() {
    await messages.tend(clock.nowMs(), config.retentionMs)
    await mergeSmall({ ...deps, encoder }, () => closed || urgent)
  }

  // Sealing and trimming wait for no merge: of several commits at once each is retried behind the other.
  const say = (failure: string) => deps.logLine(`lake writer: ${failure}`)
  const seals = new Turns(sealAll, say)
  const trims = new Turns(trim, say)
  const cleanUps = new Turns(cleanUp, say)
  const turns = [seals, trims, cleanUps]

  async function tend() {
    await Promise.all([trims.take(), cleanUps.take()])
  }

  function armHourly() {
    cancelHourly = clock.after(config.sealEveryMs ?? SEAL_EVERY_MS, () => {
      armHourly()
      void seals
        .take()
        .then(tend)
        .catch(() => {})
    })
  }
  armHourly()

  const sealAtBytes = (config.unsealedBytesMax ?? Number.POSITIVE_INFINITY) / 2
  const muchWaits = () =>
    log.end(partition) - offsetIn(covered, partition) >= SEAL_BLOCKS_MAX ||
    log.state().uncoveredBytes > sealAtBytes
  let sealing = false
  const stopFollowing = log.onAppend(() => {
    if (sealing || !muchWaits()) return
    sealing = true
    void seals
      .take()
      .catch(() => {})
      .finally(() => {
        sealing = false
      })
  })

  // A publish may have raised the tidemark that held the log back.
  const stopWatching = deps.wake.subscribe(() => void trims.take().catch(() => {}))

  return {
    async seal() {
      await seals.take()
      void tend().catch(() => {})
      deps.wake.notify()
    },
    tend,
    status() {
      const reason = turns.find(({ failing }) => failing !== null)?.failing ?? null
      return { state: reason === null ? 'ok' : 'failing', reason, covered, version }
    },
    async close() {
      cancelHourly()
      stopFollowing()
      stopWatching()
      closed = true
      await Promise.all([seals.end(), trims.end()])
      // A merge that is going on is left: its files stay as they are.
      await encoder.close()
      await cleanUps.end()
    },
  }
}
