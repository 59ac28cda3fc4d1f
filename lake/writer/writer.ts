import { type Ownership, ownsAll } from '../../log/ownership.ts'
import type { LogReader } from '../../log/port.ts'
import { Coalesced } from '../../schemas/coalesced.ts'
import type { Clock } from '../../schemas/ports/clock.ts'
import type { Sealer, Wake } from '../../schemas/ports/layers.ts'
import { lowest, offsetIn, type Position } from '../../schemas/position.ts'
import { HOUR_MS } from '../../schemas/time.ts'
import { allViews, type DatasetTables } from '../tables/deployment.ts'
import { viewState } from '../tables/published.ts'
import { type RepeatStates, statesFor } from '../tables/repeat-states.ts'
import { beginTables } from './begin.ts'
import { mergeSmall } from './merge-files.ts'
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
  /** Which partitions of it to seal; absent: all. */
  readonly ownership?: Ownership
  /** Where what is known of repeats is kept, for a log that holds some. */
  readonly states?: RepeatStates
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
 * Starts the lake writer: the only writer of the datasets' messages. It seals ranges of each partition of the log that it owns into
 * Parquet files,
 *
 *     log (covered, end] ─▶ rows by dataset and date ─▶ files ─▶ a commit a dataset: files + txn `seal/<partition>`
 *
 * merges small files, and trims the log below the lowest of its own position and every view's tidemark. All three go on
 * side by side, each one at a time: a run waits for its seal alone. Two writers may hold one partition: the commit of one is
 * lost, and it goes on from what the table has. The commit point is the Delta commit: before it nothing
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
  readonly #states: RepeatStates | null
  readonly #ownership: Ownership
  /** By partition. */
  readonly #sealings = new Map<number, Sealing>()
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
    this.#config = config
    this.#deps = deps
    this.#tables = tables
    this.#encoder = encoder
    this.#states = statesFor(deps)
    this.#ownership = deps.ownership ?? ownsAll(log)
    const say = (reason: string) => deps.logLine(`lake writer: ${reason}`)
    this.#seals = new Coalesced(() => this.#sealAll(), { say, retry: { clock, ms: RETRY_MS } })
    this.#trims = new Coalesced(() => this.#trim(), { say })
    this.#cleanUps = new Coalesced(() => this.#cleanUp(), { say })
  }

  async start(): Promise<void> {
    await this.#look()
    this.#armHourly()
    this.#stops = [
      this.#ownership.onChange(() => this.#sealIfDue()),
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

  /** The partitions that are owned now; of others nothing is remembered. */
  get #owned(): Sealing[] {
    const owned = this.#ownership.owned()
    for (const partition of this.#sealings.keys())
      if (!owned.includes(partition)) this.#sealings.delete(partition)
    return owned.map((partition) => {
      const found = this.#sealings.get(partition)
      if (found !== undefined) return found
      const closed = () => this.#closed || this.#sealings.get(partition) !== sealing
      const [tables, encoder, states] = [this.#tables, this.#encoder, this.#states]
      const sealing = new Sealing({ ...this.#deps, partition, states, tables, encoder, closed })
      this.#sealings.set(partition, sealing)
      return sealing
    })
  }

  /** The position that every dataset covers. */
  get #covered(): Position {
    return lowest(...this.#tables.map(({ covered }) => covered))
  }

  /** Reads the newest versions, and tells the log what they cover. */
  async #look(): Promise<void> {
    await Promise.all(this.#tables.map((table) => table.look()))
    this.#deps.log.covered(this.#covered)
  }

  /** One partition that cannot be read or committed holds up no other. */
  async #sealAll(): Promise<void> {
    const failures: unknown[] = []
    for (const sealing of this.#owned) await sealing.sealAll().catch((error) => failures.push(error))
    if (failures.length > 0) throw failures[0]
  }

  /** One that failed is tried again by itself, not with every block. */
  #sealIfDue(): void {
    if (this.#isSealingUnasked || this.#seals.failing !== null) return
    const blocks = Math.max(0, ...this.#owned.map(({ waiting }) => waiting))
    const { uncoveredBytes } = this.#deps.log.state()
    if (!isSealDue(blocks, uncoveredBytes, this.#config.unsealedBytesMax)) return
    this.#isSealingUnasked = true
    void this.#seals.kick().then(() => {
      this.#isSealingUnasked = false
    })
  }

  async #trim(): Promise<void> {
    await this.#look()
    const tidemarks = await Promise.all(
      allViews(this.#deps).map(
        async ({ published }) => viewState(await published.snapshot())?.tidemark ?? {},
      ),
    )
    const needed = lowest(this.#covered, ...tidemarks)
    const { log } = this.#deps
    await log.trim(needed)
    if (this.#states === null) return
    for (const { partition } of this.#owned)
      await this.#states.removeBelow({ partition, position: offsetIn(needed, partition) })
  }

  async #cleanUp(): Promise<void> {
    const { clock, logLine } = this.#deps
    const stopped = () => this.#closed || [...this.#sealings.values()].some(({ urgent }) => urgent)
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
      covered: this.#covered,
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
