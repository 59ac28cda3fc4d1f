import { encodeCells } from '../lake/parquet/cells.ts'
import type { ViewTables } from '../lake/tables/deployment.ts'
import type { LogReader } from '../log/port.ts'
import { readKept } from '../log/read-kept.ts'
import type { Cells } from '../schemas/cells.ts'
import { Coalesced } from '../schemas/coalesced.ts'
import type { Clock } from '../schemas/ports/clock.ts'
import type { OpenCells, Ticker, Wake } from '../schemas/ports/layers.ts'
import type { Chain } from './chain.ts'
import { isLost, ViewChains } from './view-chains.ts'

export interface SpeedConfig {
  readonly tickMs: number
  /** Open cells of a view at which a tick is committed early. */
  readonly cellsMax?: number
  /** Superseded ticks are kept this long. */
  readonly retentionMs: number
}

export interface SpeedDeps {
  readonly log: LogReader
  readonly views: readonly ViewTables[]
  readonly clock: Clock
  readonly wake: Wake
  /** Makes the file of a tick; absent: in this thread. */
  encode?(cells: Cells): Promise<Uint8Array>
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
    committedTo: number
    readTo: number
    openCells: number
  }[]
}

/** Enough for 10,000 services at two minutes each before a tick is due. */
const CELLS_MAX = 20_000
/** While no tick can be committed, so many times as many open cells are folded before folding waits too. */
const HELD_FACTOR = 50
/**
 * Blocks asked for and folded in one go: so many that folding keeps up although the thread that reads them, busy with
 * thousands of senders, answers only a few times a second; so few that queries get their turn soon.
 */
const BLOCKS_PER_READ = 2_048
const RETRY_MS = 1_000
/** So often a tick that was asked for is tried. */
const TICK_TRIES_MAX = 100
/** Ticks between two clean-ups of the table. */
const TEND_EVERY = 20

/**
 * Starts the speed layer: two loops over the chains of all views. What the lake does, or does not, never holds up the
 * folding, and the log is read once for all chains that stand at the same place.
 *
 *     log grew ──────▶ follow: fold every chain to the log's end
 *     lake changed ──▶ tend:   chains as `targets` says
 *     tick due ──────▶         commit (committedTo, readTo]
 */
export async function startSpeed(config: SpeedConfig, deps: SpeedDeps): Promise<Speed> {
  const { log, clock, encode = async (cells) => encodeCells(cells) } = deps
  const cellsMax = config.cellsMax ?? CELLS_MAX
  // The journal has one.
  const partition = log.partitions()[0]!
  const views = deps.views.map((tables) => new ViewChains(tables, partition, { clock, encode }))
  const behindSinceMs = new Map<Chain, number>()
  let closed = false
  let lakeChanged = true
  let tickDue = false
  let ticked = 0
  let cancelTick = () => {}
  for (const view of views) await view.open()

  const options = {
    say: (reason: string) => deps.logLine(`speed: ${reason}; trying again`),
    retry: { clock, ms: RETRY_MS },
  }
  const follow = new Coalesced(foldToEnd, options)
  const tend = new Coalesced(tendLake, options)

  function allChains(): Chain[] {
    return views.flatMap(({ chains }) => [...chains.values()])
  }

  function chainOf(hash: string): Chain | undefined {
    return allChains().find((chain) => chain.hash === hash)
  }

  function armTick() {
    cancelTick = clock.after(config.tickMs, () => {
      tickDue = true
      armTick()
      void tend.kick()
    })
  }

  async function tendLake() {
    let due = false
    try {
      if (lakeChanged) {
        await retarget()
        void follow.kick()
      }
      due = tickDue
      tickDue = false
      for (const view of views) {
        for (const chain of view.chains.values())
          if (due || chain.openCells >= cellsMax) await commit(view, chain)
      }
    } catch (error) {
      lakeChanged = true
      // It stays due: one that failed is tried again, and is failing until it was committed.
      tickDue ||= due
      throw error
    }
  }

  async function retarget() {
    lakeChanged = false
    for (const view of views) {
      for (const chain of await view.retarget(log.start(partition))) {
        // What it has not read yet may be as old as that, however late the fold begins.
        if (chain.readTo < log.end(partition)) behindSinceMs.set(chain, chain.readToMs)
      }
    }
    const kept = new Set(allChains())
    for (const chain of behindSinceMs.keys()) if (!kept.has(chain)) behindSinceMs.delete(chain)
  }

  /**
   * Folds until no chain that has room is behind the end that the log has now, those furthest behind first. What comes
   * meanwhile is for the next call, so that those who wait for this one are never kept waiting by senders.
   */
  async function foldToEnd() {
    const end = log.end(partition)
    while (!closed) {
      noteLags()
      const behind = allChains().filter(
        (chain) => chain.readTo < end && chain.openCells < cellsMax * HELD_FACTOR,
      )
      if (behind.length === 0) return
      const from = Math.min(...behind.map(({ readTo }) => readTo))
      const first = behind.filter(({ readTo }) => readTo === from)
      const afterMs = Math.min(...first.map(({ readToMs }) => readToMs))
      const slice = await readKept(log, { partition, after: from, afterMs }, BLOCKS_PER_READ)
      if (slice.to === from) return
      for (const chain of first) {
        if (chain.readTo === from) chain.fold(slice.blocks, slice.gaps, slice.to, slice.toMs)
        if (chain.openCells >= cellsMax) void tend.kick()
      }
    }
  }

  function noteLags() {
    const end = log.end(partition)
    for (const chain of allChains()) {
      if (chain.readTo >= end) behindSinceMs.delete(chain)
      else if (!behindSinceMs.has(chain)) behindSinceMs.set(chain, clock.nowMs())
    }
  }

  async function commit(view: ViewChains, chain: Chain) {
    try {
      if (!(await view.commit(chain))) return
    } catch (error) {
      lakeChanged = true
      if (!isLost(error)) throw error
      void tend.kick()
      return
    }
    // Folding may have waited for the room.
    void follow.kick()
    deps.wake.notify()
    ticked += 1
    if (ticked % TEND_EVERY === 0) for (const one of views) await one.removeOld(config.retentionMs)
  }

  const stopFollowing = log.onAppend(() => {
    noteLags()
    void follow.kick()
  })
  const stopWatching = deps.wake.subscribe(() => {
    lakeChanged = true
    void tend.kick()
  })
  armTick()
  await tend.kick()
  await follow.kick()

  async function tick(): Promise<string | null> {
    const end = log.end(partition)
    const isDone = () => allChains().every(({ committedTo }) => committedTo >= end)
    // Where another writer was first, or cells had to be committed before more could be folded, it takes more than one.
    for (let tries = 1; ; tries++) {
      await follow.kick()
      tickDue = true
      await tend.kick()
      const reason = follow.failing ?? tend.failing
      if (reason !== null) return reason
      if (isDone()) return null
      if (closed || tries === TICK_TRIES_MAX) return 'speed is behind the log'
    }
  }

  return {
    open: (hash, p, from) => (p === partition ? (chainOf(hash)?.openFrom(from) ?? null) : null),
    lag(hash) {
      const chain = chainOf(hash)
      return {
        start: log.start(partition),
        end: log.end(partition),
        behindSinceMs: chain === undefined ? null : (behindSinceMs.get(chain) ?? null),
      }
    },
    partitions: () => [partition],
    status() {
      const reason = follow.failing ?? tend.failing
      return {
        state: reason === null ? 'ok' : 'failing',
        reason,
        chains: allChains().map(({ view, hash, committedTo, readTo, openCells }) => {
          return { view: view.name, hash, committedTo, readTo, openCells }
        }),
      }
    },
    tick,
    async close() {
      if (closed) return
      stopFollowing()
      stopWatching()
      cancelTick()
      if (follow.failing === null && tend.failing === null) await tick()
      closed = true
      await Promise.all([follow.close(), tend.close()])
      behindSinceMs.clear()
      for (const { chains } of views) chains.clear()
    },
  }
}
