import { copyFileSync, existsSync, rmSync } from 'node:fs'
import type { Table } from '../../lake/delta/port.ts'
import { openTable } from '../../lake/delta/table.ts'
import { MemoryStore } from '../../lake/store/memory.ts'
import type { ObjectStore } from '../../lake/store/port.ts'
import { type LakeTables, lakeTables } from '../../lake/tables/deployment.ts'
import { host } from '../../schemas/datasets/host.ts'
import type { Definitions } from '../../schemas/definitions.ts'
import { sleep } from '../../schemas/ports/clock.ts'
import type { Position } from '../../schemas/position.ts'
import { defineView, definitionHash, type View } from '../../schemas/view.ts'
import { hostMinute } from '../../schemas/views/host-minute.ts'
import { serviceMinute } from '../../schemas/views/service-minute.ts'
import { scores } from '../schemas/nasty-messages.ts'
import { SimClock } from '../sim/clock.ts'
import { SimDisk } from '../sim/disk.ts'
import type { Incarnation } from '../sim/incarnation.ts'
import { SimNet } from '../sim/net.ts'
import { simRandom } from '../sim/random.ts'
import { SimStore } from '../sim/store.ts'
import { Amendments } from './amendments.ts'
import { lakeReader } from './lake-reader.ts'
import { Oracle } from './oracle.ts'
import { TableDelay } from './table-delay.ts'
import { Trace } from './trace.ts'

/** A view of another dataset: two keys, no source, optional gauges. */
export const scoreMinute = defineView(scores, {
  name: 'score_minute',
  key: ['group', 'lunch'],
  quantiles: true,
})

export const TICK_MS = 30_000
/** Ten minutes before midnight and the end of a month. */
const START_MS = Date.UTC(2026, 10, 30, 23, 50)
/** Connections of the collector; a small number, so that a crowd is one. */
export const CONNECTIONS_MAX = 32
/** Bytes acknowledged and not yet in the lake; a few segments, so that sealing must relieve the collector. */
export const UNSEALED_BYTES_MAX = 16 << 10
export const IDLE_MS = 5 * 60_000
export const DATA_DIR = '/data'
export const JOURNAL_DIR = `${DATA_DIR}/journal`
export const REJECTS_DIR = `${DATA_DIR}/rejects`
export const LAKE_DIR = `${DATA_DIR}/lake`

export interface SiteConfig {
  readonly seed: number
  readonly startMs?: number
  /** Where the lake lies: an object store, or a folder of the disk that also holds the journal. */
  readonly lake?: 'store' | 'disk'
  /** File of the serving index, which then outlives the process; null: in memory. */
  readonly indexPath?: string | null
  readonly retentionMs?: number
  /** Whether a second lake writer, speed layer and scheduler work on the same log and lake. */
  readonly twin?: boolean
  /** What computes the runs; DuckDB does it on threads of its own, in real time. */
  readonly engine?: 'reference' | 'duckdb'
  /** Whether people change what is in the lake. */
  readonly amends?: boolean
  /** Whether messages of some services are erased and those of others expire, as `PARTED` says; absent: not. */
  readonly parted?: boolean
  /** Whether a serving node runs that knows the lake alone. */
  readonly node?: boolean
}

/** Where a simulated system lives: clock, disk, object store and network, and what watches it all. */
export class Site {
  readonly config: Required<SiteConfig>
  readonly clock: SimClock
  readonly disk: SimDisk
  /** The objects of the lake, when it lies in an object store. */
  readonly store: MemoryStore
  /** That store as processes see it. */
  readonly remote: SimStore
  readonly net: SimNet
  readonly oracle = new Oracle()
  readonly random: ReturnType<typeof simRandom>
  readonly trace: Trace
  /** What the processes said. */
  readonly lines: string[] = []
  /** Every definition there ever was, by hash. */
  readonly definitions = new Map<string, View>()
  /** Tables as they are, past every fault: for the checks. */
  tables: { readonly messages: Table; readonly view: Table; readonly ticks: Table; readonly all: LakeTables }
  /** What was accepted when an erasure was asked for, by who asked. */
  readonly acceptedBefore = new Map<string, Position>()
  /** Whether the journal was deleted, and what went with it is not noted yet. */
  journalLost = false
  /** Longest time of a call of the disk. */
  slowDiskMs = 0
  /** What holds up one layer alone. */
  readonly tableDelays: {
    readonly writer: TableDelay
    readonly speed: TableDelay
    readonly batch: TableDelay
  }
  /** Called after every answer of a port to the process. */
  between: (() => void) | null = null
  #view: View = serviceMinute

  constructor(config: SiteConfig) {
    this.config = {
      startMs: START_MS,
      lake: 'store',
      indexPath: null,
      retentionMs: 24 * 3_600_000,
      twin: false,
      node: false,
      amends: false,
      parted: false,
      engine: 'reference',
      ...config,
    }
    const { seed, startMs } = this.config
    this.clock = new SimClock(startMs)
    this.trace = new Trace(this.clock)
    for (const view of [hostMinute, scoreMinute]) this.definitions.set(definitionHash(view), view)
    this.view = serviceMinute
    this.random = simRandom(seed)
    this.disk = new SimDisk(seed, this.clock)
    this.store = new MemoryStore(this.clock)
    this.remote = new SimStore(this.store, { clock: this.clock, random: simRandom(seed + 0.25) })
    this.net = new SimNet(seed, this.clock)
    const tableDelay = () => new TableDelay(this.clock, this.random)
    this.tableDelays = { writer: tableDelay(), speed: tableDelay(), batch: tableDelay() }
    this.tables = this.lookAgain()
    if (this.config.amends) this.oracle.amendments = new Amendments(this, this.defined)
  }

  /** Tables that remember nothing of what was seen before. */
  lookAgain(): Site['tables'] {
    const store = this.lakeStore()
    const look = (name: string) => openTable(name, { store, clock: this.clock, random: simRandom(0) })
    const all = lakeTables(this.defined, look)
    const { messages, views } = all.datasets[0]!
    return { messages, view: views[0]!.published, ticks: views[0]!.ticks, all }
  }

  /** The lake's objects as they are. */
  lakeStore(): ObjectStore {
    return this.config.lake === 'store' ? this.store : lakeReader(this.disk, LAKE_DIR)
  }

  /** An object of the lake as it is; null when there is none. */
  bytesAt(key: string): Uint8Array | null {
    if (this.config.lake === 'store') return this.store.objects.get(key)?.bytes ?? null
    return this.disk.has(`${LAKE_DIR}/${key}`) ? this.disk.bytesOf(`${LAKE_DIR}/${key}`) : null
  }

  /** Whether the lake has the object. */
  holds(key: string): boolean {
    return this.bytesAt(key) !== null
  }

  /** Tables as a process sees them through its store. */
  tablesOn(store: ObjectStore, life: Incarnation) {
    const deps = { store, clock: life.clock(this.clock), random: this.random }
    return lakeTables(this.defined, (name) => openTable(name, deps))
  }

  /** The definition of `service_minute` that may change. */
  get view(): View {
    return this.#view
  }

  /** What the next start has: two datasets, three views. */
  get defined(): Definitions {
    return { datasets: [host, scores], views: [this.#view, hostMinute, scoreMinute] }
  }

  /** The definition of the next start. */
  set view(view: View) {
    this.#view = view
    this.definitions.set(definitionHash(view), view)
  }

  say = (line: string): void => {
    this.lines.push(line)
    this.trace.say(`| ${line}`)
  }

  /** Something that no step awaits went wrong. */
  broken: unknown = null

  throwIfBroken(): void {
    if (this.broken !== null) throw this.broken
  }

  /** Waits as long as the disk is slow. */
  diskDelay = (): Promise<void> | null =>
    this.slowDiskMs === 0 ? null : sleep(this.clock, this.random.float() * this.slowDiskMs)

  /** Removes the index file, or brings back what it was at `keepIndex`. */
  loseIndex(kind: 'deleted' | 'stale'): void {
    const { indexPath } = this.config
    if (indexPath === null) return
    for (const end of ['', '-wal', '-shm']) {
      rmSync(`${indexPath}${end}`, { force: true })
      if (kind === 'stale' && end !== '-shm' && existsSync(`${indexPath}.kept${end}`))
        copyFileSync(`${indexPath}.kept${end}`, `${indexPath}${end}`)
    }
  }

  keepIndex(): void {
    const { indexPath } = this.config
    if (indexPath === null) return
    for (const end of ['', '-wal']) {
      rmSync(`${indexPath}.kept${end}`, { force: true })
      if (existsSync(`${indexPath}${end}`)) copyFileSync(`${indexPath}${end}`, `${indexPath}.kept${end}`)
    }
  }

  dispose(): void {
    const { indexPath } = this.config
    if (indexPath === null) return
    for (const kept of ['', '.kept'])
      for (const end of ['', '-wal', '-shm']) rmSync(`${indexPath}${kept}${end}`, { force: true })
  }
}
