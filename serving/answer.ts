import type { DatasetTables, LakeTables, ViewTables } from '../lake/tables/deployment.ts'
import { WHOLE } from '../schemas/cell-rows.ts'
import { Coalesced } from '../schemas/coalesced.ts'
import { describeError, isError, TidemarkError } from '../schemas/errors.ts'
import type { Clock, Pause } from '../schemas/ports/clock.ts'
import type { Disk } from '../schemas/ports/disk.ts'
import type { OpenCells, Wake } from '../schemas/ports/layers.ts'
import { shown } from '../schemas/shown.ts'
import { DAY_MS } from '../schemas/time.ts'
import {
  type Answers,
  CELLS_MAX,
  type CellsAnswer,
  type Range,
  type Stats,
  type StatsAnswer,
  type ViewInfo,
} from './answers.ts'
import { analyticsAsOf, cellsAsOf, statsAsOf } from './as-of.ts'
import { fingerprintOf } from './fingerprint.ts'
import { isDamaged } from './index/database.ts'
import { coarsestWithin, planRanges } from './index/levels.ts'
import { load, look, type Seen } from './index/load.ts'
import { type IndexLoader, loadHere } from './index/loader.ts'
import { emptyIndex, type IndexedDate, type ViewIndex } from './index/view-index.ts'
import {
  type BatchCells,
  isKnown,
  keys,
  keysWithin,
  series,
  seriesOfAll,
  stats,
  statsOfAll,
  summaries,
} from './merge.ts'
import { bothWhole, EVER, type Moment, momentOf, wholeOf } from './moment.ts'
import { OldMinutes } from './old-minutes.ts'
import { openIndex, removeIndex } from './open-index.ts'
import { parquetPieces } from './parquet-pieces.ts'

export interface AnswersConfig {
  readonly tickMs: number
  /** File of the SQLite index, or `:memory:`. */
  readonly indexPath: string
  /** Days before the newest date of a version whose minutes the index holds; 35 when absent. */
  readonly indexDays?: number
  /** The log's partitions where no speed layer runs in this process: their ticks must vouch for the newest messages. */
  readonly partitions?: readonly number[]
  /** How often the lake is looked at without being told of a commit. */
  readonly pollMs?: number
}

export interface AnswersDeps {
  readonly tables: Pick<LakeTables, 'datasets'>
  /** Fills the index; absent: in this thread. */
  readonly loader?: IndexLoader
  /** Removes the index file, so that it is made anew; absent for `:memory:`. */
  readonly disk?: Disk
  /** Null where no speed layer runs in this process. */
  readonly openCells: OpenCells | null
  readonly clock: Clock
  /** Called within long answers; absent: they are made without a pause. */
  readonly pause?: Pause
  readonly wake: Wake
  logLine(line: string): void
}

export interface AnswersServer extends Answers {
  /** Looks at the lake now. */
  refresh(): Promise<void>
  status(): AnswersStatus
  close(): Promise<void>
}

export interface AnswersStatus {
  readonly state: 'ok' | 'failing'
  readonly reason: string | null
  /** The published version that answers, per view; null before the first. */
  readonly versions: { readonly [view: string]: number | null }
}

const POLL_MS = 1_000
const INDEX_DAYS = 35
/** Where ticks alone tell of the newest messages, they may be a tick and this behind before answers say so. */
const LAG_GRACE_MS = 5_000
/** Where open cells do, so long: the freshness bound. */
const LAG_EMBEDDED_MS = 1_000

/** So long a part of a long answer holds the thread. */
const SLICE_MS = 10
/** Keys between two looks at the clock. */
const KEYS_AT_ONCE = 32

/** A view that is answered. */
interface Served {
  readonly dataset: DatasetTables
  readonly tables: ViewTables
  index: ViewIndex
  /** What the last look at the lake saw; null when it is to be looked at whatever it sees. */
  seen: Seen | null
  /** Whether the lake was read since the index is open. */
  looked: boolean
}

/**
 * Starts what answers questions: an index that follows the lake, and the merge. The index is loaded before this
 * resolves, so the first answer is as good as any.
 */
export async function startAnswers(config: AnswersConfig, deps: AnswersDeps): Promise<AnswersServer> {
  const { loader = loadHere() } = deps
  const { partitions = [] } = config
  const old = new OldMinutes(loader)
  const served = new Map<string, Served>()
  for (const dataset of deps.tables.datasets) {
    for (const tables of dataset.views)
      served.set(tables.view.name, {
        dataset,
        tables,
        index: emptyIndex(tables.view),
        seen: null,
        looked: false,
      })
  }
  const names = [...served.keys()]
  let reader = await openIndex(config.indexPath, deps, loader, names)
  let closed = false
  let lost = false
  let cancelPoll = () => {}

  const loading = new Coalesced(loadAll, {
    say: (reason) => deps.logLine(`serving: ${reason}; the last state answers`),
  })
  /** Loads what is in the lake by now, or fails; callers during a load share the one behind it. */
  const refresh = () => loading.kick()

  async function loadAll(): Promise<void> {
    try {
      if (lost) await makeAnew()
      await followAll()
    } catch (error) {
      if (isDamaged(error)) lost = true
      throw error
    }
  }

  /** Each view follows on its own: what one cannot read keeps no other back. Throws the first of what they throw. */
  async function followAll(): Promise<void> {
    const failures: unknown[] = []
    for (const view of served.values()) {
      if (closed) return
      try {
        await follow(view)
        view.looked = true
      } catch (error) {
        // Where the index itself is damaged no view can go on.
        if (isDamaged(error)) throw error
        view.seen = null
        failures.push(error)
      }
    }
    if (failures.length > 0) throw failures[0]
  }

  async function follow(view: Served): Promise<void> {
    const { dataset, tables } = view
    const about = {
      dataset,
      tables,
      loader,
      indexDays: config.indexDays ?? INDEX_DAYS,
      partitions,
      closed: () => closed,
    }
    const seen = await look(about)
    if (view.seen !== null && isSame(seen, view.seen)) return
    const next = await load(view.index, seen, about)
    if (next === null) return
    view.index = next()
    // Damage may have been mended by the next look.
    view.seen = view.index.loaded.damaged.length === 0 ? seen : null
    // What stood on the files before is answered: nothing waits between.
    await loader.dropOthers(tables.view.name, view.index.loaded.files)
  }

  /** The index was damaged while it was open: another takes its place. */
  async function makeAnew(): Promise<void> {
    // First, so that nothing asks the index while it is closed.
    for (const view of served.values()) {
      view.index = emptyIndex(view.tables.view)
      view.seen = null
      view.looked = false
    }
    reader.close()
    await loader.close()
    if (deps.disk !== undefined && config.indexPath !== ':memory:')
      await removeIndex(config.indexPath, deps.disk)
    reader = await openIndex(config.indexPath, deps, loader, names)
    lost = false
  }

  function armPoll() {
    cancelPoll = deps.clock.after(config.pollMs ?? POLL_MS, () => {
      armPoll()
      void refresh()
    })
  }

  function viewNamed(name: string): Served {
    const found = served.get(name)
    if (found === undefined)
      throw new TidemarkError('E_NOT_FOUND', `there is no view ${shown(name)}`, {
        field: 'view',
        hint: 'see GET /v1/views',
      })
    return found
  }

  function now(view: Served): Moment {
    return momentOf({
      index: view.index,
      openCells: deps.openCells,
      nowMs: deps.clock.nowMs(),
      lagMs: deps.openCells === null ? config.tickMs + LAG_GRACE_MS : LAG_EMBEDDED_MS,
      unread: view.looked
        ? null
        : `the lake was not read since the start: ${loading.failing ?? 'it is being read'}`,
    })
  }

  const batchOf = ({ index }: Served): BatchCells => ({
    read(date, key, range) {
      if (range.level === 0 && !date.minutes) return old.rows(date, key, range)
      return reader.read(index.view, date.id, key, range)
    },
  })

  /** What `ask` says; a damaged index is made anew. */
  function answered<T>(ask: () => T): T {
    try {
      return ask()
    } catch (error) {
      if (!isError(error, 'E_INDEX_DAMAGED') && !isDamaged(error)) throw error
      if (!lost) deps.logLine(`serving: ${describeError(error)}; the index is made anew from the lake`)
      lost = true
      void refresh()
      throw new TidemarkError('E_INDEX_DAMAGED', 'the serving index is damaged and is being made anew')
    }
  }

  /** Whether a key that nobody knows may yet be one whose messages are missing. */
  function mayBe(at: Moment, key: string, range: Range): boolean {
    return at.unread || isKnown(at, key) || !wholeOf(at, range).complete
  }

  /** Merged cells in buckets of `stepMs`; absent: of the view's own. */
  function seriesOf(
    view: Served,
    key: string,
    range: Range,
    stepMs = view.index.view.bucketMs,
  ): CellsAnswer | null {
    const at = now(view)
    if (!mayBe(at, key, range)) return null
    const cells = answered(() => series(at, batchOf(view), key, range, stepMs))
    return { cells, ...wholeOf(at, range) }
  }

  async function reach({ tables, index }: Served, range: Range, stepMs = WHOLE): Promise<void> {
    const dates = oldDates(index, range, stepMs)
    if (dates.length > 0) await old.read(tables.published, index, dates)
  }

  async function analytics(
    view: Served,
    range: Range,
    names: readonly string[],
    enough: number,
  ): Promise<StatsAnswer> {
    const found: Stats[] = []
    let whole = wholeOf(now(view), range)
    for (let from = 0; from < names.length && found.length < enough; ) {
      if (from > 0) {
        await deps.pause?.()
        // What was read for the part before may be gone.
        await reach(view, range)
      }
      const at = now(view)
      const startedMs = deps.clock.nowMs()
      // The clock may step back.
      while (
        from < names.length &&
        found.length < enough &&
        Math.abs(deps.clock.nowMs() - startedMs) < SLICE_MS
      ) {
        const some = names.slice(from, from + KEYS_AT_ONCE)
        found.push(...answered(() => statsOfAll(at, batchOf(view), some, range)))
        from += some.length
      }
      whole = bothWhole(whole, wholeOf(at, range))
    }
    return { stats: found, ...whole }
  }

  const stopWatching = deps.wake.subscribe(() => void refresh())
  armPoll()
  await refresh()

  return {
    refresh,
    views: () =>
      Array.from(served.values(), ({ dataset, tables, index }): ViewInfo => {
        return { view: tables.view, dataset: dataset.dataset, version: index.loaded.viewVersion }
      }),
    keys(name) {
      const at = now(viewNamed(name))
      return { keys: keys(at), ...wholeOf(at, EVER) }
    },
    stats(name, key, range) {
      const view = viewNamed(name)
      const at = now(view)
      return mayBe(at, key, range) ? answered(() => stats(at, batchOf(view), key, range)) : null
    },
    analytics(name, range, keys, enough = Number.POSITIVE_INFINITY) {
      const view = viewNamed(name)
      return analytics(view, range, keys ?? keysWithin(now(view), range), enough)
    },
    whole: (name, range) => wholeOf(now(viewNamed(name)), range),
    cells: (name, key, range) => seriesOf(viewNamed(name), key, range),
    series: (name, key, range, stepMs) => seriesOf(viewNamed(name), key, range, stepMs),
    summaries: (name) => summaries(now(viewNamed(name))),
    keysWithin: (name, range, wanted) => keysWithin(now(viewNamed(name)), range, wanted),
    seriesOfAll(name, keys, range, stepMs) {
      const view = viewNamed(name)
      const at = now(view)
      const buckets = keys.length * Math.ceil((range.toMs - range.fromMs) / stepMs)
      if (buckets > CELLS_MAX)
        throw new TidemarkError(
          'E_PARAMETER',
          `${keys.length} keys in steps of ${stepMs} ms make ${buckets} buckets; at most ${CELLS_MAX} are answered`,
          { field: 'to' },
        )
      const cells = answered(() => seriesOfAll(at, batchOf(view), keys, range, stepMs))
      return { cells, ...wholeOf(at, range) }
    },
    async statsAsOf(name, key, range, asOf) {
      const view = viewNamed(name)
      if (!mayBe(now(view), key, range)) return null
      return statsAsOf(view.tables, loader, { key, range, asOf })
    },
    analyticsAsOf: async (name, range, asOf, wanted) =>
      analyticsAsOf(viewNamed(name).tables, loader, { range, asOf, wanted }),
    async cellsAsOf(name, key, range, asOf, stepMs) {
      const view = viewNamed(name)
      if (!mayBe(now(view), key, range)) return null
      return cellsAsOf(view.tables, loader, { key, range, asOf }, stepMs)
    },
    reach: (name, range, stepMs) => reach(viewNamed(name), range, stepMs),
    fingerprint: (name, range, key) => fingerprintOf(now(viewNamed(name)), range, key),
    parquet: (columns, parts) => parquetPieces(loader, columns, parts),
    basis: (name) => now(viewNamed(name)).basis,
    status: () => ({
      state: loading.failing === null ? 'ok' : 'failing',
      reason: loading.failing,
      versions: Object.fromEntries(
        Array.from(served, ([name, { index }]) => [name, index.loaded.viewVersion]),
      ),
    }),
    async close() {
      stopWatching()
      cancelPoll()
      closed = true
      await loading.close()
      reader.close()
      await loader.close()
    },
  }
}

function isSame(a: Seen, b: Seen): boolean {
  return a.published === b.published && a.ticks === b.ticks && a.messages === b.messages
}

/** The dates that a question needs the minutes of, and that the index holds without. */
function oldDates({ dates }: ViewIndex, range: Range, stepMs: number): IndexedDate[] {
  const coarsest = coarsestWithin(stepMs)
  const old: IndexedDate[] = []
  for (const [startMs, date] of dates) {
    if (date.minutes) continue
    const part = { fromMs: Math.max(range.fromMs, startMs), toMs: Math.min(range.toMs, startMs + DAY_MS) }
    if (planRanges(part.fromMs, part.toMs, coarsest).some(({ level }) => level === 0)) old.push(date)
  }
  return old
}
