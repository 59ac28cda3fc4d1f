import type { LogReader } from '../../log/port.ts'
import type { Clock } from '../../schemas/ports/clock.ts'
import type { Sealer, Wake } from '../../schemas/ports/layers.ts'
import { lowest, offsetIn, type Position } from '../../schemas/position.ts'
import { HOUR_MS } from '../../schemas/time.ts'
import { Turns } from '../../schemas/turns.ts'
import { allViews, type DatasetTables } from '../tables/deployment.ts'
import { viewState } from '../tables/published.ts'
import { beginLike, hasCovered } from './begin-like.ts'
import { closeLostPartitions } from './lost-partitions.ts'
import { mergeSmall } from './merge.ts'
import { MessageTable } from './message-table.ts'
import { encodeHere, type SealEncoder } from './seal-files.ts'
import { SEAL_BLOCKS_MAX } from './seal-range.ts'
import { Sealing } from './sealing.ts'

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
  /** The tidemarks of every view hold back the trimming of the log. */
  readonly datasets: readonly DatasetTables[]
  readonly clock: Clock
  readonly wake: Wake
  /** Absent: files are made in this thread. */
  readonly encoder?: SealEncoder
  logLine(line: string): void
}

export interface LakeWriter extends Sealer {
  /** Trims the log, cleans up the tables and merges small files. */
  tend(): Promise<void>
  status(): LakeWriterStatus
  close(): Promise<void>
}

export interface LakeWriterStatus {
  readonly state: 'ok' | 'failing'
  readonly reason: string | null
  /** The position that every dataset covers. */
  readonly covered: Position
  /** The newest version seen, per dataset. */
  readonly versions: { readonly [dataset: string]: number }
}

const SEAL_EVERY_MS = HOUR_MS

/**
 * Starts the lake writer: the only writer of the datasets' messages. It seals ranges of the log into Parquet files,
 *
 *     log (covered, end] ─▶ rows by dataset and date ─▶ files ─▶ a commit a dataset: files + txn `seal/<partition>`
 *
 * merges small files, and trims the log below the lowest of its own position and every view's tidemark. All three go on
 * side by side, each one at a time: a run waits for its seal alone. The commit point is the Delta commit: before it nothing
 * is covered, and files that were written are orphans for the vacuum.
 */
export async function startLakeWriter(config: LakeWriterConfig, deps: LakeWriterDeps): Promise<LakeWriter> {
  const { log, clock, encoder = encodeHere } = deps
  // The journal has one.
  const partition = log.partitions()[0]!
  const tables = deps.datasets.map((one) => new MessageTable(one))
  let closed = false
  const sealing = new Sealing({ ...deps, partition, tables, encoder, closed: () => closed })

  const known = await Promise.all(tables.map(({ table }) => table.snapshot()))
  for (const table of tables) await table.open(clock.nowMs(), !known.some(hasCovered))
  for (const table of tables) {
    const others = await Promise.all(tables.filter((one) => one !== table).map((one) => one.look()))
    await table.change((base) => beginLike(base, others))
  }
  for (const table of tables)
    await table.change((base) => closeLostPartitions(base, config.named, log.partitions(), clock.nowMs()))
  await sealing.look()

  async function trim() {
    await sealing.look()
    const tidemarks = await Promise.all(
      allViews(deps).map(async ({ published }) => viewState(await published.snapshot())?.tidemark ?? {}),
    )
    await log.trim(lowest(sealing.covered, ...tidemarks))
  }

  async function cleanUp() {
    for (const { dataset, table } of tables) {
      await table.tend(clock.nowMs(), config.retentionMs)
      await mergeSmall({ ...deps, dataset, messages: table, encoder }, () => closed || sealing.urgent)
    }
  }

  // Sealing and trimming wait for no merge: of several commits at once each is retried behind the other.
  const say = (failure: string) => deps.logLine(`lake writer: ${failure}`)
  const seals = new Turns(() => sealing.sealAll(), say)
  const trims = new Turns(trim, say)
  const cleanUps = new Turns(cleanUp, say)

  async function tend() {
    await Promise.all([trims.take(), cleanUps.take()])
  }

  let cancelHourly = () => {}
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
    log.end(partition) - offsetIn(sealing.covered, partition) >= SEAL_BLOCKS_MAX ||
    log.state().uncoveredBytes > sealAtBytes
  let sealingUnasked = false
  const stopFollowing = log.onAppend(() => {
    if (sealingUnasked || !muchWaits()) return
    sealingUnasked = true
    void seals
      .take()
      .catch(() => {})
      .finally(() => {
        sealingUnasked = false
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
      const reason = [seals, trims, cleanUps].find(({ failing }) => failing !== null)?.failing ?? null
      return {
        state: reason === null ? 'ok' : 'failing',
        reason,
        covered: sealing.covered,
        versions: Object.fromEntries(tables.map(({ dataset, version }) => [dataset.name, version])),
      }
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
