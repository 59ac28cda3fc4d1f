import type { LogReader } from '../log/port.ts'
import type { Block } from '../schemas/block.ts'
import { describeError, isError } from '../schemas/errors.ts'
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
import { planMerges } from './merge-plan.ts'
import { decodeMessages, describeMessages, encodeMessages, joinRows } from './parquet/messages.ts'
import { sortRows } from './parquet/order.ts'
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

export interface LakeWriterConfig {
  readonly retentionMs: number
  /** Longest time between two seals. */
  readonly sealEveryMs?: number
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
  /** Absent: seals are encoded in this thread. */
  readonly encoder?: SealEncoder
  logLine(line: string): void
}

export interface LakeWriter extends Sealer {
  /** Merges small files, trims the log and cleans up the table. */
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
/** Blocks that one seal holds at most; so many wait in the log before they are sealed without being asked. */
const SEAL_BLOCKS_MAX = 4_000
const BLOCKS_PER_READ = 256

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
 * merges small files, and trims the log below the lowest of its own position and every view's tidemark. The commit
 * point is the Delta commit: before it nothing is covered, and files that were written are orphans for the vacuum.
 */
export async function startLakeWriter(config: LakeWriterConfig, deps: LakeWriterDeps): Promise<LakeWriter> {
  const { log, messages, clock, encoder = encodeHere } = deps
  let failing: string | null = null
  let closed = false
  let covered: Position = {}
  let version: number | null = null
  let cancelHourly = () => {}
  let queue: Promise<void> = Promise.resolve()

  seen(await messages.create(messagesSchema, { 'tidemark.created': String(clock.nowMs()) }))
  await closeLostPartitions()

  function seen(snapshot: Snapshot) {
    covered = coveredPosition(snapshot)
    version = snapshot.version
    log.covered(offsetIn(covered, log.partition))
  }

  /** Work on the table goes one at a time; a failure reaches its caller and not the next. */
  function enqueue(work: () => Promise<void>): Promise<void> {
    const result = queue.then(async () => {
      if (!closed) await work()
    })
    queue = result.then(
      () => {
        failing = null
      },
      (error) => {
        failing = describeError(error)
        deps.logLine(`lake writer: ${failing}`)
      },
    )
    return result
  }

  /**
   * A partition that the lake names and the log no longer holds takes no more blocks: say so, and what is lost. Nothing
   * knows how far that log reached, so one offset behind the last that was named stands for all that may be missing.
   */
  async function closeLostPartitions() {
    const base = (await messages.snapshot()) as Snapshot
    const facts = logFacts(base)
    const lost = partitionsOf(config.named).filter(
      (p) => p >= 0 && p !== log.partition && facts.closed[p] === undefined,
    )
    if (lost.length === 0) return
    const named = highest(config.named, coveredPosition(base))
    const nowMs = clock.nowMs()
    const closedNow = Object.fromEntries(lost.map((p) => [p, offsetIn(named, p) + 1]))
    const gaps: Gap[] = lost.map((partition) => ({
      partition,
      from: offsetIn(covered, partition),
      to: closedNow[partition]!,
      fromMs: coveredMs(base, partition),
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
    const target = log.end()
    while (!closed) {
      const base = (await messages.snapshot()) as Snapshot
      seen(base)
      const from = offsetIn(covered, log.partition)
      if (from >= target) return
      await sealRange(base, from, target)
    }
  }

  async function sealRange(base: Snapshot, from: number, target: number) {
    const range = await readRange(from, target)
    if (range.to === from) return
    const encoded = await encoder.encode(range.blocks)
    const { to, toMs, gaps } = upToBlock(range, encoded.blocks)
    const files = []
    for (const { bytes, about } of encoded.files) files.push(await messages.writeFile(bytes, about))
    const facts = logFacts(base)
    try {
      await messages.commit(base, {
        operation: 'SEAL',
        add: files,
        dataChange: true,
        txns: { [sealApp(log.partition)]: { version: to, lastUpdatedMs: toMs } },
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
      const slice = await log.read(to, BLOCKS_PER_READ)
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

  async function mergeSmall() {
    const base = (await messages.snapshot()) as Snapshot
    for (const { date, inputs } of planMerges(base.files.values(), clock.nowMs())) {
      if (closed) return
      try {
        const rows = sortRows(
          joinRows(
            await Promise.all(inputs.map(async (file) => decodeMessages(await messages.readFile(file)))),
          ),
        )
        const file = await messages.writeFile(encodeMessages(rows), describeMessages(rows, date))
        await messages.commit((await messages.snapshot()) as Snapshot, {
          operation: 'OPTIMIZE',
          add: [file],
          remove: inputs.map((input) => input.path),
          dataChange: false,
        })
      } catch (error) {
        if (isError(error, 'E_CONFLICT')) continue
        if (!isError(error, 'E_FILE_DAMAGED')) throw error
        deps.logLine(`lake writer: ${describeError(error)}; not merged`)
      }
    }
  }

  async function trim() {
    seen((await messages.snapshot()) as Snapshot)
    const tidemarks = await Promise.all(
      deps.views.map(async (view) => viewState(await view.snapshot())?.tidemark ?? {}),
    )
    await log.trim(offsetIn(lowest(covered, ...tidemarks), log.partition))
  }

  const seal = () => enqueue(sealAll)
  const tend = () =>
    enqueue(async () => {
      await mergeSmall()
      await trim()
      await messages.tend(clock.nowMs(), config.retentionMs)
    })

  function armHourly() {
    cancelHourly = clock.after(config.sealEveryMs ?? SEAL_EVERY_MS, () => {
      armHourly()
      void seal()
        .then(tend)
        .catch(() => {})
    })
  }
  armHourly()

  let sealing = false
  const stopFollowing = log.onAppend(() => {
    if (sealing || log.end() - offsetIn(covered, log.partition) < SEAL_BLOCKS_MAX) return
    sealing = true
    void seal()
      .catch(() => {})
      .finally(() => {
        sealing = false
      })
  })

  return {
    async seal() {
      await seal()
      await tend().catch(() => {})
      deps.wake.notify()
    },
    tend,
    status: () => ({ state: failing === null ? 'ok' : 'failing', reason: failing, covered, version }),
    async close() {
      cancelHourly()
      stopFollowing()
      closed = true
      await queue
      await encoder.close()
    },
  }
}
