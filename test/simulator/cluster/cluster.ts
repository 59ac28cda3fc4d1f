import { type Batch, startBatch } from '../../../batch/batch.ts'
import { openReference } from '../../../batch/engines/reference.ts'
import { openTable } from '../../../lake/delta/table.ts'
import { MemoryStore } from '../../../lake/store/memory.ts'
import type { ObjectStore } from '../../../lake/store/port.ts'
import { type LakeTables, lakeTables } from '../../../lake/tables/deployment.ts'
import { makeWake } from '../../../schemas/ports/wake.ts'
import { type AnswersServer, startAnswers } from '../../../serving/answer.ts'
import { SimClock } from '../../sim/clock.ts'
import { PartitionedLog } from '../../sim/partitioned-log.ts'
import { simRandom } from '../../sim/random.ts'
import { SimStore } from '../../sim/store.ts'
import { Trace } from '../trace.ts'
import { Accepted } from './accepted.ts'
import { DEFINITIONS, PARTITIONS, RETENTION_MS, TICK_MS } from './deployment.ts'
import { Group } from './group.ts'
import { Senders } from './senders.ts'
import { type Surroundings, Worker, type WorkerKind } from './worker.ts'

const START_MS = Date.UTC(2026, 10, 30, 23, 50)

/**
 * A deployment of several processes that meet in a log of several partitions and an object store alone: two speed workers and
 * two lake writers that share the partitions, a scheduler of runs, and a serving node.
 */
export class Cluster implements Surroundings {
  readonly clock = new SimClock(START_MS)
  readonly random: ReturnType<typeof simRandom>
  readonly log = new PartitionedLog(PARTITIONS, this.clock)
  readonly store = new MemoryStore(this.clock)
  /** The store as processes see it. */
  readonly remote: SimStore
  readonly accepted = new Accepted(this.clock)
  readonly senders = new Senders(this.log, this.clock, this.accepted)
  readonly trace = new Trace(this.clock)
  readonly workers: readonly Worker[]
  /** What a process that starts now is told. */
  defined = DEFINITIONS[0]!
  /** States of repeats that were lost so far: what could not be made again is named as a gap. */
  statesLost = 0
  /** Something that no step awaits went wrong. */
  broken: unknown = null
  batch!: Batch
  answers!: AnswersServer
  readonly #groups = { speed: new Group(), 'lake-writer': new Group() }

  constructor(seed: number) {
    this.random = simRandom(seed)
    this.remote = new SimStore(this.store, { clock: this.clock, random: simRandom(seed + 0.25) })
    const kinds: WorkerKind[] = ['speed', 'lake-writer']
    this.workers = kinds.flatMap((kind) => [1, 2].map((n) => new Worker(kind, `${kind} ${n}`, this)))
  }

  say = (line: string): void => this.trace.say(`| ${line}`)

  group(kind: WorkerKind): Group {
    return this.#groups[kind]
  }

  of(kind: WorkerKind): Worker[] {
    return this.workers.filter((worker) => worker.kind === kind)
  }

  tablesOn(store: ObjectStore): LakeTables {
    const deps = { store, clock: this.clock, random: this.random }
    return lakeTables(this.defined, (name) => openTable(name, deps))
  }

  async start(): Promise<void> {
    for (const worker of this.workers) {
      worker.start()
      await this.clock.advance(100)
    }
    for (const kind of ['speed', 'lake-writer'] as const) this.handOver(kind, (p) => p % 2)
    await this.#startOthers()
  }

  /** Batch and serving begin anew. */
  async startOthersAnew(): Promise<void> {
    const begun = (async () => {
      await this.batch.close()
      await this.answers.close()
      await this.#startOthers()
      return true
    })()
    for (let isUp = false; !isUp; ) {
      const later = this.clock.advance(100).then(() => false)
      isUp = await Promise.race([begun, later])
      await later
    }
  }

  async #startOthers(): Promise<void> {
    const deps = { clock: this.clock, wake: makeWake(), random: this.random, logLine: this.say }
    this.batch = await startBatch(
      { tickMs: TICK_MS, schedule: null, engine: 'reference', retentionMs: RETENTION_MS, isAlone: false },
      {
        ...deps,
        store: this.remote,
        tables: this.tablesOn(this.remote),
        openEngine: openReference,
        sealer: { seal: async () => {} },
        ticker: { tick: async () => null },
      },
    )
    this.answers = await startAnswers(
      { tickMs: TICK_MS, indexPath: ':memory:', indexDays: 10_000, partitions: this.#partitions() },
      { ...deps, tables: this.tablesOn(this.remote), openCells: null },
    )
  }

  #partitions(): number[] {
    return Array.from({ length: PARTITIONS }, (_, partition) => partition)
  }

  /**
   * Of what is kept of repeats only the oldest state remains from which the log can still be read, and that one's newer
   * neighbour is damaged; how many were lost.
   */
  loseStates(): number {
    let lost = 0
    for (const partition of this.#partitions()) {
      const states = [...this.store.objects.keys()]
        .filter((key) => key.startsWith(`repeats/${partition}/`))
        .sort()
      const positionOf = (key: string) => Number(/\d+(?=\.)/.exec(key)![0])
      const oldest = states.find((key) => positionOf(key) >= this.log.start(partition))
      for (const key of states) {
        if (oldest === undefined || positionOf(key) <= positionOf(oldest)) continue
        lost += 1
        if (lost % 2 === 0) this.store.objects.delete(key)
        else this.store.objects.get(key)!.bytes.fill(0x20)
      }
    }
    this.statesLost += lost
    return lost
  }

  /** Whether answers say that messages may count twice, since it was lost which stood in the log before. */
  get mayCountTwice(): boolean {
    return this.answers.views().some(({ view }) => this.answers.basis(view.name).gaps.length > 0)
  }

  /** Gives the partitions to the workers of a kind, by their places; who stands still hears nothing. */
  handOver(kind: WorkerKind, to: (partition: number) => number): void {
    const workers = this.of(kind)
    const hears = (name: string) => !workers.find((worker) => worker.name === name)!.isStill
    this.group(kind).assign(PARTITIONS, (partition) => workers[to(partition)]!.name, hears)
  }

  async close(): Promise<void> {
    for (const worker of this.workers) worker.kill()
    await this.batch.close()
    await this.answers.close()
  }
}
