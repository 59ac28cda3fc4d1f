import { openTable } from '../../../lake/delta/table.ts'
import type { ObjectStore } from '../../../lake/store/port.ts'
import { allViews, lakeTables } from '../../../lake/tables/deployment.ts'
import { RepeatStates } from '../../../lake/tables/repeat-states.ts'
import { type LakeWriter, startLakeWriter } from '../../../lake/writer/writer.ts'
import type { LogReader } from '../../../log/port.ts'
import type { Definitions } from '../../../schemas/definitions.ts'
import type { Clock, Random } from '../../../schemas/ports/clock.ts'
import { makeWake } from '../../../schemas/ports/wake.ts'
import { startSpeed } from '../../../speed/speed.ts'
import { Incarnation } from '../../sim/incarnation.ts'
import type { PartitionedLog } from '../../sim/partitioned-log.ts'
import { RETENTION_MS, SEAL_EVERY_MS, TICK_MS } from './deployment.ts'
import type { Group } from './group.ts'

export type WorkerKind = 'speed' | 'lake-writer'

/** What a worker lives in. */
export interface Surroundings {
  /** What a process that starts now is told. */
  readonly defined: Definitions
  readonly clock: Clock
  readonly random: Random
  readonly remote: ObjectStore
  readonly log: PartitionedLog
  group(kind: WorkerKind): Group
  say(line: string): void
  broken: unknown
}

/** One process that reads the log: it can be killed, and it can stand still while the world goes on. */
export class Worker {
  readonly kind: WorkerKind
  readonly name: string
  life = new Incarnation()
  /** By so much its clock is off. */
  skewMs = 0
  writer: LakeWriter | null = null
  state: () => { state: string; reason: string | null } = () => ({ state: 'down', reason: null })
  readonly #cluster: Surroundings
  #told: Definitions | null = null
  #still: { readonly over: Promise<void>; end(): void } | null = null

  constructor(kind: WorkerKind, name: string, cluster: Surroundings) {
    this.kind = kind
    this.name = name
    this.#cluster = cluster
    this.life.die()
  }

  get up(): boolean {
    return this.life.alive
  }

  get isStill(): boolean {
    return this.#still !== null
  }

  /** Whether other definitions are told by now than this life began with: a process that sees that ends, and starts anew. */
  get isOutdated(): boolean {
    return this.#told !== this.#cluster.defined
  }

  /** Begins a new life; what goes wrong in it, is said. */
  start(): void {
    const { clock: right, random, say, defined } = this.#cluster
    const life = new Incarnation()
    this.life = life
    this.#told = defined
    const store = life.gate(this.#cluster.remote, { delay: () => this.#still?.over ?? null })
    const clock = { ...life.clock(right), nowMs: () => right.nowMs() + this.skewMs }
    const tables = lakeTables(defined, (name) => openTable(name, { store, clock, random }))
    const logLine = (line: string) => say(`${this.name}: ${line}`)
    const deps = {
      log: this.#reader(life),
      ownership: this.#cluster.group(this.kind).join(this.name),
      states: new RepeatStates({ store, clock, logLine }),
      clock,
      wake: makeWake(),
      logLine,
    }
    const starting =
      this.kind === 'speed'
        ? startSpeed(
            { tickMs: TICK_MS, retentionMs: RETENTION_MS, vouches: true },
            { ...deps, views: allViews(tables) },
          )
        : startLakeWriter(
            { retentionMs: RETENTION_MS, sealEveryMs: SEAL_EVERY_MS, named: {} },
            { ...deps, datasets: tables.datasets },
          )
    starting.then(
      (made) => {
        this.state = () => made.status()
        this.writer = 'seal' in made ? made : null
      },
      (error: Error) => {
        if (!('code' in error)) this.#cluster.broken ??= error
        say(`${this.name} gave up: ${error.message}`)
        this.kill()
      },
    )
  }

  kill(): void {
    this.life.die()
    this.#still?.end()
    this.#still = null
    this.writer = null
    this.state = () => ({ state: 'down', reason: null })
    this.#cluster.group(this.kind).leave(this.name)
  }

  /** Its calls of the store and of the log wait until it wakes. */
  standStill(): void {
    const { promise: over, resolve: end } = Promise.withResolvers<void>()
    this.#still ??= { over, end }
  }

  wake(): void {
    this.#still?.end()
    this.#still = null
  }

  /** The log as this life sees it. */
  #reader(life: Incarnation): LogReader {
    const log = this.#cluster.log.reader()
    const waits = life.gate(
      { read: log.read, trim: log.trim, close: log.close },
      { delay: () => this.#still?.over ?? null },
    )
    return {
      ...log,
      ...waits,
      read: waits.read,
      trim: waits.trim,
      onAppend: (fn) => log.onAppend(() => life.alive && fn()),
    }
  }
}
