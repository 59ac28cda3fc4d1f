import { type CellFile, fileOfCells } from '../lake/parquet/cells.ts'
import type { TickedView } from '../lake/tables/deployment.ts'
import { type RepeatStates, statesFor } from '../lake/tables/repeat-states.ts'
import { type Ownership, ownsAll } from '../log/ownership.ts'
import type { LogReader } from '../log/port.ts'
import type { Cells } from '../schemas/cells.ts'
import { Coalesced } from '../schemas/coalesced.ts'
import type { Clock } from '../schemas/ports/clock.ts'
import type { OpenCells, Ticker, Wake } from '../schemas/ports/layers.ts'
import type { Chain } from './chain.ts'
import { removeOldTicks } from './old-ticks.ts'
import { PartitionReader } from './partition-reader.ts'
import { isLost, openTicks, ViewChains } from './view-chains.ts'

export interface SpeedConfig {
  readonly tickMs: number
  /** Cells of a view in a tick, roughly. */
  readonly cellsMax?: number
  /** Open cells of a view at which a tick is committed early; absent: as many as a tick has. */
  readonly earlyCells?: number
  /** Superseded ticks are kept this long. */
  readonly retentionMs: number
  /**
   * Whether ticks say when all of the log had been read, and are committed also when there are no messages: for readers that know
   * the log by the lake alone.
   */
  readonly vouches?: boolean
}

export interface SpeedDeps {
  readonly log: LogReader
  /** Which partitions of it; absent: all. */
  readonly ownership?: Ownership
  /** Where what is known of repeats is kept, for a log that holds some. */
  readonly states?: RepeatStates
  readonly views: readonly TickedView[]
  readonly clock: Clock
  readonly wake: Wake
  /** Makes the file of a tick, and uses up the cells; absent: in this thread. */
  encode?(parts: readonly Cells[]): Promise<CellFile>
  /** Lets whatever else waits for this thread have its turn; absent: nothing does. */
  turn?(): Promise<void>
  logLine(line: string): void
}

export interface Speed extends OpenCells, Ticker {
  status(): SpeedStatus
  close(): Promise<void>
}

export interface SpeedStatus {
  readonly state: 'ok' | 'failing'
  readonly reason: string | null
  readonly chains: readonly {
    view: string
    hash: string
    partition: number
    committedTo: number
    readTo: number
    openCells: number
  }[]
}

/** Enough for 10,000 services at two minutes each before a tick is due. */
const CELLS_MAX = 20_000
/** While no tick can be committed, so many times as many open cells are folded before folding waits too. */
const HELD_FACTOR = 50
/** So long the end waits for the last ticks; what they lack is folded again after the next start. */
const CLOSE_MS_MAX = 2_000
const RETRY_MS = 1_000
/** So often a tick that was asked for is tried. */
const TICK_TRIES_MAX = 100
/** Ticks between two clean-ups of the table. */
const TEND_EVERY = 20

/**
 * Starts the speed layer: a loop over each partition that it owns, and one over the chains of all views. What the lake does, or
 * does not, never holds up the folding, and the log is read once for all chains that stand at the same place.
 *
 *     log grew ──────▶ follow: fold every chain of a partition to the log's end
 *     lake changed ──▶ tend:   chains as `targets` says
 *     tick due ──────▶         commit (committedTo, readTo]
 *     other owner ───▶         readers of the partitions that are owned now
 *
 * Two workers may hold one partition: the commit of one is lost, and it goes on from what the lake has.
 */
export async function startSpeed(config: SpeedConfig, deps: SpeedDeps): Promise<Speed> {
  const { log, clock, ownership = ownsAll(log), encode = async (parts) => fileOfCells(parts) } = deps
  const { turn = async () => {} } = deps
  const cellsMax = config.cellsMax ?? CELLS_MAX
  const earlyCells = config.earlyCells ?? cellsMax
  const states = statesFor(deps)
  const readers = new Map<number, PartitionReader>()
  let closed = false
  let lakeChanged = true
  let tickDue = false
  let ticked = 0
  let cancelTick = () => {}
  for (const tables of deps.views) await openTicks(tables)

  const say = (reason: string) => deps.logLine(`speed: ${reason}; trying again`)
  const tend = new Coalesced(tendLake, { say, retry: { clock, ms: RETRY_MS } })

  function allChains(): Chain[] {
    return [...readers.values()].flatMap(({ chains }) => chains)
  }

  function followAll(): Promise<unknown> {
    return Promise.all([...readers.values()].map(({ follow }) => follow.kick()))
  }

  function failing(): string | null {
    for (const { follow } of readers.values()) if (follow.failing !== null) return follow.failing
    return tend.failing
  }

  function armTick() {
    cancelTick = clock.after(config.tickMs, () => {
      tickDue = true
      // Where others publish, nobody tells of it.
      if (config.vouches === true) lakeChanged = true
      armTick()
      void tend.kick()
    })
  }

  /** Begins to read the partitions that are new here, and gives up those that are another's. */
  async function readOwned() {
    const owned = ownership.owned()
    for (const [partition, reader] of readers) {
      if (owned.includes(partition)) continue
      readers.delete(partition)
      await reader.close()
    }
    for (const partition of owned) {
      if (readers.has(partition)) continue
      const views = deps.views.map(
        (tables) => new ViewChains(tables, partition, { clock, states, encode, turn, cellsMax }),
      )
      const full = () => void tend.kick()
      const held = { earlyCells, heldMax: cellsMax * HELD_FACTOR }
      readers.set(
        partition,
        new PartitionReader(partition, views, { ...held, log, states, clock, full, turn, say }),
      )
    }
  }

  async function tendLake() {
    const isChanged = lakeChanged
    const due = tickDue
    lakeChanged = false
    tickDue = false
    // One partition whose log or commit fails holds up no other.
    const failures: unknown[] = []
    try {
      if (isChanged) await readOwned()
      for (const reader of readers.values())
        await tendReader(reader, { isChanged, due }).catch((error) => failures.push(error))
      if (failures.length > 0) throw failures[0]
    } catch (error) {
      lakeChanged = true
      // It stays due: one that failed is tried again, and is failing until it was committed.
      tickDue ||= due
      throw error
    }
  }

  async function tendReader(
    reader: PartitionReader,
    { isChanged, due }: { isChanged: boolean; due: boolean },
  ) {
    if (isChanged) {
      await reader.retarget()
      void reader.follow.kick()
    }
    if (due) reader.noteLags()
    for (const view of reader.views) {
      for (const chain of view.chains.values()) await commitDue(reader, view, chain, due)
    }
  }

  /** Commits one tick after the other while there are too many open cells, and when it is due up to where it stands now. */
  async function commitDue(reader: PartitionReader, view: ViewChains, chain: Chain, due: boolean) {
    const { readTo } = chain
    for (let isDue = due; isDue || chain.openCells >= earlyCells; isDue = due && chain.committedTo < readTo)
      if (!(await commit(reader, view, chain, isDue)) || closed) return
  }

  async function commit(
    reader: PartitionReader,
    view: ViewChains,
    chain: Chain,
    isDue: boolean,
  ): Promise<boolean> {
    try {
      if (!(await view.commit(chain, { vouches: config.vouches === true, isDue }))) return false
    } catch (error) {
      lakeChanged = true
      if (!isLost(error)) throw error
      void tend.kick()
      return false
    }
    // Folding may have waited for the room.
    void reader.follow.kick()
    deps.wake.notify()
    ticked += 1
    if (ticked % TEND_EVERY === 0)
      for (const tables of deps.views) await removeOldTicks(tables, clock, config.retentionMs)
    return true
  }

  const lookAgain = () => {
    lakeChanged = true
    void tend.kick()
  }
  /** Ticks of what it took over are due as soon as that is read: nobody else vouches for it by now. */
  const takeOver = () => {
    lakeChanged = true
    void tend.kick().then(async () => {
      await followAll()
      if (closed) return
      tickDue = true
      await tend.kick()
    })
  }
  const stops = [
    log.onAppend(() => {
      for (const reader of readers.values()) {
        reader.noteLags()
        void reader.follow.kick()
      }
    }),
    deps.wake.subscribe(lookAgain),
    ownership.onChange(takeOver),
  ]
  armTick()
  await tend.kick()
  await followAll()

  async function tick(): Promise<string | null> {
    const ends = new Map([...readers.values()].map(({ partition, end }) => [partition, end]))
    const isDone = () =>
      allChains().every(({ partition, committedTo }) => committedTo >= (ends.get(partition) ?? -1))
    // Where another writer was first, or cells had to be committed before more could be folded, it takes more than one.
    for (let tries = 1; ; tries++) {
      await followAll()
      tickDue = true
      await tend.kick()
      const reason = failing()
      if (reason !== null) return reason
      if (isDone()) return null
      if (closed || tries === TICK_TRIES_MAX) return 'speed is behind the log'
    }
  }

  return {
    open: (hash, partition, from) => readers.get(partition)?.chainOf(hash)?.openFrom(from) ?? null,
    lag(hash, partition) {
      const none = { start: log.start(partition), end: log.end(partition), behindSinceMs: null }
      return readers.get(partition)?.lag(hash) ?? none
    },
    partitions: () => [...readers.keys()].sort((a, b) => a - b),
    status() {
      const reason = failing()
      return {
        state: reason === null ? 'ok' : 'failing',
        reason,
        chains: allChains().map(({ view, hash, partition, committedTo, readTo, openCells }) => {
          return { view: view.name, hash, partition, committedTo, readTo, openCells }
        }),
      }
    },
    tick,
    async close() {
      if (closed) return
      for (const stop of stops) stop()
      cancelTick()
      const cancelLast = clock.after(CLOSE_MS_MAX, () => {
        closed = true
        for (const reader of readers.values()) reader.stop()
      })
      if (failing() === null) await tick()
      cancelLast()
      closed = true
      await tend.close()
      // Their partitions stay named: what is asked of them is missing.
      for (const reader of readers.values()) await reader.close()
    },
  }
}
