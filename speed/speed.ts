import type { Snapshot, Table } from '../lake/delta/port.ts'
import { describeCells } from '../lake/parquet/cells.ts'
import { viewState } from '../lake/tables/published.ts'
import { tickApp, tickCounterApp, ticksOf, ticksSchema, tickTags } from '../lake/tables/ticks.ts'
import type { LogReader } from '../log/port.ts'
import { isError } from '../schemas/errors.ts'
import type { Clock } from '../schemas/ports/clock.ts'
import type { OpenCells, Wake } from '../schemas/ports/layers.ts'
import { offsetIn } from '../schemas/position.ts'
import type { View } from '../schemas/view.ts'
import { Chain } from './chain.ts'
import { repeating } from './repeating.ts'
import { replacedBy, targets } from './targets.ts'
import { encodeTick } from './tick-file.ts'

export interface SpeedConfig {
  /** The configured definition. */
  readonly view: View
  readonly tickMs: number
  /** Open cells at which a tick is committed early. */
  readonly cellsMax?: number
  /** Superseded ticks are kept this long. */
  readonly retentionMs: number
}

export interface SpeedDeps {
  readonly log: LogReader
  readonly ticks: Table
  readonly viewTable: Table
  readonly clock: Clock
  readonly wake: Wake
  logLine(line: string): void
}

export interface Speed extends OpenCells {
  status(): SpeedStatus
  /** Commits a tick now, for an orderly stop or a test. */
  tick(): Promise<void>
  close(): Promise<void>
}

export interface SpeedStatus {
  readonly state: 'ok' | 'failing'
  readonly reason: string | null
  readonly chains: readonly { hash: string; committedTo: number; readTo: number; openCells: number }[]
}

/** Enough for 10,000 services at two minutes each before a tick is due. */
const CELLS_MAX = 20_000
/** While no tick can be committed, so many times as many open cells are folded before folding waits too. */
const HELD_FACTOR = 5
/**
 * Blocks asked for and folded in one go: so many that folding keeps up although the thread that reads them, busy with
 * thousands of senders, answers only a few times a second; so few that queries get their turn soon.
 */
const BLOCKS_PER_READ = 2_048
const RETRY_MS = 1_000
/** Ticks between two clean-ups of the table. */
const TEND_EVERY = 20

/**
 * Starts the speed layer: two loops over the same chains. What the lake does, or does not, never holds up the folding.
 *
 *     log grew ──────▶ follow: fold every chain to the log's end
 *     lake changed ──▶ tend:   chains as `targets` says
 *     tick due ──────▶         commit (committedTo, readTo]
 *
 * The commit point of a tick is the Delta commit; until it returns the cells stay open here, and after it they stay
 * until the serving index holds them. A lost race or an unclear commit discards nothing but time: the next
 * retarget reads the table and folds again from there.
 */
export async function startSpeed(config: SpeedConfig, deps: SpeedDeps): Promise<Speed> {
  const { log, clock } = deps
  const cellsMax = config.cellsMax ?? CELLS_MAX
  // The journal has one.
  const partition = log.partitions()[0]!
  const chains = new Map<string, Chain>()
  let behindSinceMs = new Map<string, number>()
  let closed = false
  let lakeChanged = true
  let tickDue = false
  let ticked = 0
  let cancelTick = () => {}
  await deps.ticks.create(ticksSchema(config.view), {})

  const loop = { clock, retryMs: RETRY_MS, logLine: (line: string) => deps.logLine(`speed: ${line}`) }
  const follow = repeating(foldToEnd, loop)
  const tend = repeating(tendLake, {
    ...loop,
    failed: () => {
      lakeChanged = true
    },
  })

  function armTick() {
    cancelTick = clock.after(config.tickMs, () => {
      tickDue = true
      armTick()
      void tend.kick()
    })
  }

  async function tendLake() {
    if (lakeChanged) {
      await retarget()
      void follow.kick()
    }
    const due = tickDue
    tickDue = false
    for (const chain of chains.values()) {
      if (due || chain.openCells >= cellsMax) await commit(chain)
    }
  }

  async function retarget() {
    lakeChanged = false
    const published = await deps.viewTable.snapshot()
    const ticks = ticksOf(await deps.ticks.snapshot())
    const wanted = targets(config.view, published, ticks, partition)
    for (const hash of chains.keys()) if (!wanted.some((target) => target.hash === hash)) chains.delete(hash)
    for (const { hash, view, from, fromMs } of wanted) {
      if (chains.get(hash)?.committedTo === from) continue
      chains.set(hash, new Chain(view, hash, partition, from, fromMs))
      // What it has not read yet may be as old as that, however late the fold begins.
      if (from < log.end(partition)) behindSinceMs.set(hash, fromMs)
    }
  }

  async function foldToEnd() {
    for (const chain of chains.values()) {
      while (chain.readTo < log.end(partition) && !closed) {
        noteLag(chain)
        if (chain.openCells >= cellsMax * HELD_FACTOR) break
        const slice = await log.read(partition, chain.readTo, BLOCKS_PER_READ)
        if (slice.to === chain.readTo) break
        chain.fold(slice.blocks, slice.gaps, slice.to, slice.toMs)
        if (chain.openCells >= cellsMax) void tend.kick()
      }
      noteLag(chain)
    }
  }

  function noteLag(chain: Chain) {
    if (chain.readTo >= log.end(partition)) behindSinceMs.delete(chain.hash)
    else if (!behindSinceMs.has(chain.hash)) behindSinceMs.set(chain.hash, clock.nowMs())
  }

  /** Commits one tick of everything folded since the last, in the place of ticks that it overlaps. */
  async function commit(chain: Chain) {
    const base = (await deps.ticks.snapshot()) as Snapshot
    const app = tickApp(chain.view.name, chain.hash, partition)
    const counter = tickCounterApp(chain.view.name, chain.hash, partition)
    // A fold that begins behind older ticks (they straddled a tidemark) must reach their end first.
    if (chain.readTo < (base.txns.get(app)?.version ?? -1)) return
    const part = chain.freeze()
    if (part === null) return
    const { rows, ...tick } = { ...part, hash: chain.hash, partition }
    const about = describeCells(chain.view, rows, {})
    const bytes = await encodeTick(chain.view, rows)
    const file = await deps.ticks.writeFile(bytes, { ...about, tags: { ...about.tags, ...tickTags(tick) } })
    try {
      await deps.ticks.commit(base, {
        operation: 'TICK',
        add: [file],
        remove: replacedBy(ticksOf(base), tick).map((old) => old.file.path),
        dataChange: true,
        txns: {
          [app]: { version: tick.to, lastUpdatedMs: tick.toMs },
          [counter]: { version: (base.txns.get(counter)?.version ?? 0) + 1, lastUpdatedMs: null },
        },
      })
    } catch (error) {
      lakeChanged = true
      if (!isError(error, 'E_CONFLICT')) throw error
      void tend.kick()
      return
    }
    chain.committed(tick.to)
    // Folding may have waited for the room.
    void follow.kick()
    deps.wake.notify()
    ticked += 1
    if (ticked % TEND_EVERY === 0) await removeOld()
  }

  /** Drops ticks that the tidemark passed longer than the retention ago, then cleans up the table's files. */
  async function removeOld() {
    const published = await deps.viewTable.snapshot()
    const base = (await deps.ticks.snapshot()) as Snapshot
    const kept = new Set(
      targets(config.view, published, ticksOf(base), partition).map((target) => target.hash),
    )
    const limit = clock.nowMs() - config.retentionMs
    const tidemark = viewState(published)?.tidemark ?? {}
    const old = ticksOf(base).filter((tick) => {
      if (tick.file.modifiedMs > limit) return false
      return !kept.has(tick.hash) || tick.to <= offsetIn(tidemark, tick.partition)
    })
    if (old.length > 0) {
      await deps.ticks.commit(base, {
        operation: 'REMOVE TICKS',
        remove: old.map((tick) => tick.file.path),
        dataChange: true,
      })
    }
    await deps.ticks.tend(clock.nowMs(), config.retentionMs)
  }

  const stopFollowing = log.onAppend(() => {
    for (const chain of chains.values()) noteLag(chain)
    void follow.kick()
  })
  const stopWatching = deps.wake.subscribe(() => {
    lakeChanged = true
    void tend.kick()
  })
  armTick()
  await tend.kick()
  await follow.kick()

  async function tick() {
    await follow.kick()
    tickDue = true
    await tend.kick()
  }

  return {
    open: (hash, p, from) => (p === partition ? (chains.get(hash)?.openFrom(from) ?? null) : null),
    lag: (hash) => ({ end: log.end(partition), behindSinceMs: behindSinceMs.get(hash) ?? null }),
    partitions: () => [partition],
    status() {
      const reason = follow.failing() ?? tend.failing()
      return {
        state: reason === null ? 'ok' : 'failing',
        reason,
        chains: [...chains.values()].map(({ hash, committedTo, readTo, openCells }) => {
          return { hash, committedTo, readTo, openCells }
        }),
      }
    },
    tick,
    async close() {
      if (closed) return
      stopFollowing()
      stopWatching()
      cancelTick()
      if (follow.failing() === null && tend.failing() === null) await tick()
      closed = true
      await Promise.all([follow.close(), tend.close()])
      behindSinceMs = new Map()
      chains.clear()
    },
  }
}
