import type { Snapshot, Table } from '../lake/delta/port.ts'
import { describeCells } from '../lake/parquet/cells.ts'
import { tickApp, tickCounterApp, ticksOf, ticksSchema, tickTags, viewState } from '../lake/tables.ts'
import type { Log } from '../log/port.ts'
import { describeError, isError } from '../schemas/errors.ts'
import type { Clock } from '../schemas/ports/clock.ts'
import type { OpenCells, Wake } from '../schemas/ports/layers.ts'
import { offsetIn } from '../schemas/position.ts'
import type { View } from '../schemas/view.ts'
import { Chain } from './chain.ts'
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
  readonly log: Log
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
/** Blocks folded in one go, so that queries get their turn. */
const BLOCKS_PER_READ = 256
const RETRY_MS = 1_000
/** Ticks between two clean-ups of the table. */
const TEND_EVERY = 20

/**
 * Starts the speed layer: one loop that follows the log and the published version.
 *
 *     lake changed ──▶ retarget: chains as `targets` says ─┐
 *     log grew ──────▶ fold every chain to the log's end ──┤ one at a time
 *     tick due ──────▶ commit (committedTo, readTo] ───────┘
 *
 * The commit point of a tick is the Delta commit; until it returns the cells stay open here, and after it they stay
 * until the serving index holds them. A lost race or an unclear commit discards nothing but time: the next
 * retarget reads the table and folds again from there.
 */
export async function startSpeed(config: SpeedConfig, deps: SpeedDeps): Promise<Speed> {
  const { log, clock } = deps
  const partition = log.partition
  const chains = new Map<string, Chain>()
  let behindSinceMs = new Map<string, number>()
  let failing: string | null = null
  let closed = false
  let lakeChanged = true
  let tickDue = false
  let ticked = 0
  let running: Promise<void> | null = null
  let again = false
  let cancelTick = () => {}
  let cancelRetry = () => {}
  await deps.ticks.create(ticksSchema(config.view), {})

  function armTick() {
    cancelTick = clock.after(config.tickMs, () => {
      tickDue = true
      armTick()
      kick()
    })
  }

  /** Runs the loop body once, and once more when something came in meanwhile. */
  function kick(): Promise<void> {
    again = true
    running ??= (async () => {
      while (again && !closed) {
        again = false
        try {
          await step()
          failing = null
        } catch (error) {
          if (closed) return
          if (failing === null) deps.logLine(`speed: ${describeError(error)}; trying again`)
          failing = describeError(error)
          lakeChanged = true
          cancelRetry()
          cancelRetry = clock.after(RETRY_MS, () => void kick())
        }
      }
    })().finally(() => {
      running = null
    })
    return running
  }

  async function step() {
    if (lakeChanged) await retarget()
    await foldToEnd()
    if (tickDue) {
      tickDue = false
      for (const chain of chains.values()) await commit(chain)
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
    }
  }

  async function foldToEnd() {
    for (const chain of chains.values()) {
      while (chain.readTo < log.end() && !closed) {
        noteLag(chain)
        const slice = await log.read(chain.readTo, BLOCKS_PER_READ)
        if (slice.to === chain.readTo) break
        chain.fold(slice.blocks, slice.gaps, slice.to, slice.toMs)
        if (chain.openCells >= (config.cellsMax ?? CELLS_MAX)) await commit(chain)
      }
      noteLag(chain)
    }
  }

  function noteLag(chain: Chain) {
    if (chain.readTo >= log.end()) behindSinceMs.delete(chain.hash)
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
      if (isError(error, 'E_CONFLICT')) {
        again = true
        return
      }
      throw error
    }
    chain.committed(tick.to)
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
    void kick()
  })
  const stopWatching = deps.wake.subscribe(() => {
    lakeChanged = true
    void kick()
  })
  armTick()
  await kick()

  return {
    open: (hash, p, from) => (p === partition ? (chains.get(hash)?.openFrom(from) ?? null) : null),
    lag: (hash) => ({ end: log.end(), behindSinceMs: behindSinceMs.get(hash) ?? null }),
    partitions: () => [partition],
    status: () => ({
      state: failing === null ? 'ok' : 'failing',
      reason: failing,
      chains: [...chains.values()].map(({ hash, committedTo, readTo, openCells }) => {
        return { hash, committedTo, readTo, openCells }
      }),
    }),
    async tick() {
      tickDue = true
      await kick()
    },
    async close() {
      if (closed) return
      stopFollowing()
      stopWatching()
      cancelTick()
      cancelRetry()
      if (failing === null) {
        tickDue = true
        await kick()
      }
      closed = true
      await running
      behindSinceMs = new Map()
      chains.clear()
    },
  }
}
