import type { LogReader } from '../../log/port.ts'
import { Coalesced } from '../../schemas/coalesced.ts'
import type { Clock } from '../../schemas/ports/clock.ts'
import type { Sealer, Wake } from '../../schemas/ports/layers.ts'
import { lowest, offsetIn, type Position } from '../../schemas/position.ts'
import { HOUR_MS } from '../../schemas/time.ts'
import { allViews, type DatasetTables } from '../tables/deployment.ts'
import { viewState } from '../tables/published.ts'
import { beginTables } from './begin.ts'
import { mergeSmall } from './merge.ts'
import { MessageTable } from './message-table.ts'
import { encodeHere, type SealEncoder } from './seal-files.ts'
import { isSealDue } from './seal-range.ts'
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
/** Between two tries of a seal that failed. */
const RETRY_MS = 5_000

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
  const { log, clock } = deps
  const tables = deps.datasets.map((one) => new MessageTable(one))
  await beginTables(tables, { named: config.named, held: log.partitions(), nowMs: clock.nowMs() })
  const writer = new Writer(config, deps, tables)
  await writer.start()
  return writer
}

class Writer implements LakeWriter {
  readonly #config: LakeWriterConfig
  readonly #deps: LakeWriterDeps
  readonly #tables: readonly MessageTable[]
  readonly #encoder: SealEncoder
  /** The journal has one. */
  readonly #partition: number
  readonly #sealing: Sealing
  // Sealing and trimming wait for no merge: of several commits at once each is retried behind the other.
  readonly #seals: Coalesced
  readonly #trims: Coalesced
  readonly #cleanUps: Coalesced
  #isSealingUnasked = false
  #closed = false
  #stops: (() => void)[] = []
  #cancelHourly = () => {}

  constructor(config: LakeWriterConfig, deps: LakeWriterDeps, tables: readonly MessageTable[]) {
    const { log, clock, encoder = encodeHere } = deps
    const partition = log.partitions()[0]!
    this.#config = config
    this.#deps = deps
    this.#tables = tables
    this.#encoder = encoder
    this.#partition = partition
    this.#sealing = new Sealing({ ...deps, partition, tables, encoder, closed: () => this.#closed })
    const say = (reason: string) => deps.logLine(`lake writer: ${reason}`)
    this.#seals = new Coalesced(() => this.#sealing.sealAll(), { say, retry: { clock, ms: RETRY_MS } })
    this.#trims = new Coalesced(() => this.#trim(), { say })
    this.#cleanUps = new Coalesced(() => this.#cleanUp(), { say })
  }

  async start(): Promise<void> {
    await this.#sealing.look()
    this.#armHourly()
    this.#stops = [
      this.#deps.log.onAppend(() => this.#sealIfDue()),
      // A publish may have raised the tidemark that held the log back.
      this.#deps.wake.subscribe(() => void this.#trims.kick()),
    ]
  }

  async seal(): Promise<void> {
    await this.#seals.run()
    void this.tend().catch(() => {})
    this.#deps.wake.notify()
  }

  async tend(): Promise<void> {
    await Promise.all([this.#trims.run(), this.#cleanUps.run()])
  }

  #armHourly(): void {
    this.#cancelHourly = this.#deps.clock.after(this.#config.sealEveryMs ?? SEAL_EVERY_MS, () => {
      this.#armHourly()
      void this.#seals
        .run()
        .then(() => this.tend())
        .catch(() => {})
    })
  }

  /** One that failed is tried again by itself, not with every block. */
  #sealIfDue(): void {
    if (this.#isSealingUnasked || this.#seals.failing !== null) return
    const { log } = this.#deps
    const blocks = log.end(this.#partition) - offsetIn(this.#sealing.covered, this.#partition)
    if (!isSealDue(blocks, log.state().uncoveredBytes, this.#config.unsealedBytesMax)) return
    this.#isSealingUnasked = true
    void this.#seals.kick().then(() => {
      this.#isSealingUnasked = false
    })
  }

  async #trim(): Promise<void> {
    await this.#sealing.look()
    const tidemarks = await Promise.all(
      allViews(this.#deps).map(
        async ({ published }) => viewState(await published.snapshot())?.tidemark ?? {},
      ),
    )
    await this.#deps.log.trim(lowest(this.#sealing.covered, ...tidemarks))
  }

  async #cleanUp(): Promise<void> {
    const { clock, logLine } = this.#deps
    const stopped = () => this.#closed || this.#sealing.urgent
    for (const { dataset, table } of this.#tables) {
      await table.tend(clock.nowMs(), this.#config.retentionMs)
      await mergeSmall({ dataset, messages: table, encoder: this.#encoder, clock, logLine }, stopped)
    }
  }

  status(): LakeWriterStatus {
    const all = [this.#seals, this.#trims, this.#cleanUps]
    const reason = all.find(({ failing }) => failing !== null)?.failing ?? null
    return {
      state: reason === null ? 'ok' : 'failing',
      reason,
      covered: this.#sealing.covered,
      versions: Object.fromEntries(this.#tables.map(({ dataset, version }) => [dataset.name, version])),
    }
  }

  async close(): Promise<void> {
    this.#cancelHourly()
    for (const stop of this.#stops) stop()
    this.#closed = true
    await Promise.all([this.#seals.close(), this.#trims.close()])
    // A merge that is going on is left: its files stay as they are.
    await this.#encoder.close()
    await this.#cleanUps.close()
  }
}
