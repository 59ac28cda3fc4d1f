import { openReference } from '../../batch/engines/reference.ts'
import { startBatch } from '../../batch/run.ts'
import { startCollector } from '../../collector/collector.ts'
import { openTable } from '../../lake/delta/table.ts'
import { MemoryStore } from '../../lake/store/memory.ts'
import { MESSAGES, namedPosition, RUNS, ticksTable } from '../../lake/tables.ts'
import { startLakeWriter } from '../../lake/writer.ts'
import { openJournal } from '../../log/journal/journal.ts'
import type { Columns } from '../../schemas/message.ts'
import { makeWake } from '../../schemas/ports/wake.ts'
import { definitionHash, type View } from '../../schemas/view.ts'
import { serviceMinute } from '../../schemas/views/service-minute.ts'
import { startAnswers } from '../../serving/answer.ts'
import { startSpeed } from '../../speed/speed.ts'
import { SimClock } from '../sim/clock.ts'
import { SimDisk } from '../sim/disk.ts'
import { drain, Incarnation } from '../sim/incarnation.ts'
import { SimNet } from '../sim/net.ts'
import { simRandom } from '../sim/random.ts'
import { Oracle } from './oracle.ts'

export const TICK_MS = 30_000
/** A Sunday, ten minutes before midnight and the end of a month. */
export const START_MS = Date.UTC(2026, 10, 30, 23, 50)

/**
 * A whole embedded Tidemark over a simulated disk, store and network: every layer is the production code. `crash`
 * ends one life of the process at whatever await it had reached, `start` begins the next from what was kept.
 */
export class World {
  readonly clock: SimClock
  readonly disk: SimDisk
  readonly store: MemoryStore
  readonly net: SimNet
  readonly oracle = new Oracle()
  readonly random: ReturnType<typeof simRandom>
  readonly lines: string[] = []
  /** Every definition there ever was, by hash. */
  readonly definitions = new Map<string, View>()
  #view: View = serviceMinute
  life: Incarnation | null = null
  parts: Awaited<ReturnType<World['compose']>> | null = null

  constructor(seed: number, startMs = START_MS) {
    this.clock = new SimClock(startMs)
    this.view = serviceMinute
    this.random = simRandom(seed)
    this.disk = new SimDisk(seed)
    this.store = new MemoryStore(this.clock)
    this.net = new SimNet(seed)
  }

  /** Starts the process; false when it died on the way. */
  async start(dieAfter?: number): Promise<boolean> {
    const life = new Incarnation()
    if (dieAfter !== undefined) life.dieAfter(dieAfter)
    this.life = life
    const started = this.compose(life)
    started.catch(() => {})
    const parts = await Promise.race([started, life.death.then(() => null)])
    this.parts = parts
    await drain()
    return this.up
  }

  get view(): View {
    return this.#view
  }

  /** The definition of the next start. */
  set view(view: View) {
    this.#view = view
    this.definitions.set(definitionHash(view), view)
  }

  get up(): boolean {
    return this.life?.alive === true && this.parts !== null
  }

  async compose(life: Incarnation) {
    const clock = life.clock(this.clock)
    const disk = life.gate(this.disk, ['open'])
    const store = life.gate(this.store)
    const logLine = (line: string) => void this.lines.push(line)
    const deps = { store, clock, random: this.random }
    const messages = openTable(MESSAGES, deps)
    const viewTable = openTable(this.view.name, deps)
    const ticks = openTable(ticksTable(this.view), deps)
    const runs = openTable(RUNS, deps)
    const wake = makeWake()
    const named = namedPosition(await messages.snapshot(), await viewTable.snapshot(), await ticks.snapshot())
    const journal = await openJournal(
      { dir: '/data/journal', segmentBytesMax: 4_096, holder: 'world', floor: named },
      { disk, clock, logLine },
    )
    await this.recordFrom(journal)
    const log = {
      ...bound(journal),
      append: async (columns: Columns) => {
        const offset = await journal.append(columns)
        await this.recordFrom(journal)
        return offset
      },
    }
    const writer = await startLakeWriter(
      { retentionMs: 24 * 3_600_000, named },
      { log, messages, views: [viewTable], clock, wake, logLine },
    )
    const speed = await startSpeed(
      { view: this.view, tickMs: TICK_MS, retentionMs: 24 * 3_600_000 },
      { log, ticks, viewTable, clock, wake, logLine },
    )
    const batch = await startBatch(
      { view: this.view, tickMs: TICK_MS, schedule: null, engine: 'reference', retentionMs: 24 * 3_600_000 },
      {
        openEngine: openReference,
        messages,
        viewTable,
        ticks,
        runs,
        sealer: writer,
        clock,
        random: this.random,
        wake,
        logLine,
      },
    )
    const answers = await startAnswers(
      { view: this.view, tickMs: TICK_MS, indexPath: ':memory:' },
      { viewTable, ticks, messages, openCells: speed, clock, wake, logLine },
    )
    const collector = await startCollector(
      { host: '127.0.0.1', port: 7070, blockMessages: 5 },
      { log, net: this.net, clock, disk, rejectsDir: '/data/rejects', logLine },
    )
    return { journal, log, writer, speed, batch, answers, collector, messages, viewTable, ticks, runs }
  }

  /** Copies every durable block the oracle has not seen. */
  private async recordFrom(journal: Awaited<ReturnType<typeof openJournal>>) {
    for (let after = Math.max(journal.start(), this.recordedTo(journal.partition)); after < journal.end(); ) {
      const slice = await journal.read(after, 1_000)
      for (const block of slice.blocks) {
        if (!this.oracle.has(block.partition, block.offset)) this.oracle.record(block)
      }
      after = slice.to
    }
  }

  private recordedTo(partition: number): number {
    let to = -1
    for (const block of this.oracle.blocks) if (block.partition === partition) to = Math.max(to, block.offset)
    return to
  }

  /** Ends the process now; `power` also loses what was not synced. */
  async crash(kind: 'process' | 'power'): Promise<void> {
    this.life?.die()
    this.parts = null
    this.net.reset()
    this.disk.crash(kind)
    await drain()
  }
}

/** The methods of `object`, callable apart from it. */
function bound<T extends object>(object: T): T {
  return new Proxy(object, {
    get(target, name) {
      const value = Reflect.get(target, name, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
    ownKeys: (target) => [
      ...new Set([...Reflect.ownKeys(target), ...Reflect.ownKeys(Object.getPrototypeOf(target))]),
    ],
    getOwnPropertyDescriptor: () => ({ enumerable: true, configurable: true }),
  })
}
