import { WHOLE } from '../schemas/cell-rows.ts'
import type { CellRange } from '../schemas/cells.ts'
import { isError, TidemarkError } from '../schemas/errors.ts'
import { narrowCells, withoutSources } from '../schemas/narrowed.ts'
import type { Pause } from '../schemas/ports/clock.ts'
import type { OpenCells } from '../schemas/ports/layers.ts'
import { offsetIn } from '../schemas/position.ts'
import { shown } from '../schemas/shown.ts'
import { DAY_MS } from '../schemas/time.ts'
import type { View } from '../schemas/view.ts'
import {
  type AnalyticsOptions,
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
import { type FollowConfig, type FollowDeps, type Followed, followLake } from './following.ts'
import { isDamaged } from './index/database.ts'
import { coarsestWithin, type LevelRange, planRanges } from './index/levels.ts'
import { type IndexLoader, loadHere } from './index/loader.ts'
import type { IndexedDate, Loaded, ViewIndex } from './index/view-index.ts'
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
import { parquetPieces } from './parquet-pieces.ts'
import { partsOf } from './parts.ts'

export interface AnswersConfig extends FollowConfig {
  readonly tickMs: number
}

export interface AnswersDeps extends Omit<FollowDeps, 'loader'> {
  /** Fills the index; absent: in this thread. */
  readonly loader?: IndexLoader
  /** Null where no speed layer runs in this process. */
  readonly openCells: OpenCells | null
  /** Called within long answers and loads; absent: they are made without a pause. */
  readonly pause?: Pause
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
  /** What the lake told of the other layers when it was looked at last, per view. */
  readonly seen: readonly Seen[]
}

/** What a view's tables tell of the layers that write them. */
export type Seen = Pick<Loaded, 'hash' | 'chainEnd' | 'vouched' | 'messagesSeen' | 'covered'> & {
  readonly view: string
  readonly dataset: string
}

/** Where ticks alone tell of the newest messages, they may be a tick and this behind before answers say so. */
export const LAG_GRACE_MS = 5_000
/** Where open cells do, so long: the freshness bound. */
const LAG_EMBEDDED_MS = 1_000

/** So long a part of a long answer holds the thread. */
const SLICE_MS = 10
/** Keys between two looks at the clock; more where one gauge at most is added up, which takes a third of the time in most views. */
const KEYS_AT_ONCE = 32
const NARROW_KEYS_AT_ONCE = 96
/** At first: each may have thousands of cells that no version holds yet, as behind a back-fill. */
const KEYS_FIRST = 8

/**
 * Starts what answers questions: an index that follows the lake, and the merge. The index is loaded before this
 * resolves, so the first answer is as good as any.
 */
export async function startAnswers(config: AnswersConfig, deps: AnswersDeps): Promise<AnswersServer> {
  const { loader = loadHere() } = deps
  const following = await followLake(config, { ...deps, loader, moved: letGo })
  const old = new OldMinutes(loader)

  function viewNamed(name: string): Followed {
    const found = following.views.get(name)
    if (found === undefined)
      throw new TidemarkError('E_NOT_FOUND', `there is no view ${shown(name)}`, {
        field: 'view',
        hint: 'see GET /v1/views',
      })
    return found
  }

  function now(view: Followed): Moment {
    return momentOf({
      index: view.index,
      openCells: deps.openCells,
      nowMs: deps.clock.nowMs(),
      lagMs: deps.openCells === null ? config.tickMs + LAG_GRACE_MS : LAG_EMBEDDED_MS,
      unread: view.looked
        ? null
        : `the lake was not read since the start: ${following.failing ?? 'it is being read'}`,
      imports: view.imports,
    })
  }

  /** Speed keeps cells until somebody asks for those behind them: also where no question comes, it need not hold what the index does. */
  function letGo({ loaded: { hash, chainEnd } }: ViewIndex): void {
    for (const partition of deps.openCells?.partitions() ?? [])
      deps.openCells!.open(hash, partition, offsetIn(chainEnd, partition))
  }

  const batchOf = ({ index: { view } }: Followed): BatchCells => {
    const { reader } = following
    const isOld = (date: IndexedDate, { level }: LevelRange) => level === 0 && !date.minutes
    const readOld = (date: IndexedDate, key: string, range: LevelRange, as = view): CellRange[] => {
      const rows = old.rows(date, key, range)
      return rows === null ? [] : [as === view ? rows : { ...rows, cells: narrowCells(rows.cells, as) }]
    }
    return {
      read: (date, key, range, as) =>
        isOld(date, range) ? readOld(date, key, range, as) : reader.read(view, date, key, range, as),
      readAll: (date, keys, range, as) =>
        isOld(date, range)
          ? keys.flatMap((key) => readOld(date, key, range, as))
          : reader.readAll(view, date, keys, range, as),
      days: (date, as) => reader.days(view, date, as),
      sums: (dates, keys, range, as, make) => reader.sums(view, dates, keys, range, as, make),
    }
  }

  /** What `ask` says; a damaged index is made anew. */
  function answered<T>(ask: () => T): T {
    try {
      return ask()
    } catch (error) {
      if (!isError(error, 'E_INDEX_DAMAGED') && !isDamaged(error)) throw error
      following.damaged(error)
      throw new TidemarkError('E_INDEX_DAMAGED', 'the serving index is damaged and is being made anew')
    }
  }

  /** Whether a key that nobody knows may yet be one whose messages are missing. */
  function mayBe(at: Moment, key: string, range: Range): boolean {
    return at.unread || isKnown(at, key) || !wholeOf(at, range).complete
  }

  /** Merged cells in buckets of `stepMs`, in the columns of `as`. */
  function seriesOf(
    view: Followed,
    key: string,
    range: Range,
    { stepMs, as, explain = false }: { stepMs: number; as: View; explain?: boolean | undefined },
  ): CellsAnswer | null {
    const at = now(view)
    if (!mayBe(at, key, range)) return null
    const cells = answered(() => series(at, batchOf(view), key, range, stepMs, as))
    const parts = explain ? explained(view, at, key, range, stepMs) : {}
    return { cells, basis: at.basis, ...parts, ...wholeOf(at, range) }
  }

  function explained(view: Followed, at: Moment, key: string, range: Range, bucketMs: number) {
    return { parts: answered(() => partsOf(at, batchOf(view), key, range, bucketMs)) }
  }

  async function reach({ tables, index }: Followed, range: Range, stepMs = WHOLE): Promise<void> {
    const dates = oldDates(index, range, stepMs)
    if (dates.length > 0) await old.read(tables.published, index, dates)
  }

  async function analytics(
    view: Followed,
    range: Range,
    names: readonly string[],
    { enough = Number.POSITIVE_INFINITY, path }: AnalyticsOptions,
  ): Promise<StatsAnswer> {
    const found: Stats[] = []
    const keysAtOnce = path === undefined ? KEYS_AT_ONCE : NARROW_KEYS_AT_ONCE
    let whole = wholeOf(now(view), range)
    let atOnce = KEYS_FIRST
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
        const some = names.slice(from, from + atOnce)
        const beforeMs = deps.clock.nowMs()
        found.push(...answered(() => statsOfAll(at, batchOf(view), some, range, path)))
        from += some.length
        const tookMs = deps.clock.nowMs() - beforeMs
        if (tookMs > SLICE_MS) atOnce = KEYS_FIRST
        else if (tookMs < SLICE_MS / 4) atOnce = Math.min(keysAtOnce, 4 * atOnce)
      }
      whole = bothWhole(whole, wholeOf(at, range))
    }
    return { stats: found, ...whole }
  }

  return {
    refresh: following.refresh,
    views: () =>
      Array.from(following.views.values(), ({ dataset, tables, index }): ViewInfo => {
        return { view: tables.view, dataset: dataset.dataset, version: index.loaded.viewVersion }
      }),
    keys(name) {
      const at = now(viewNamed(name))
      return { keys: keys(at), ...wholeOf(at, EVER) }
    },
    stats(name, key, range, explain = false) {
      const view = viewNamed(name)
      const at = now(view)
      if (!mayBe(at, key, range)) return null
      const found = answered(() => stats(at, batchOf(view), key, range))
      return explain ? { ...found, ...explained(view, at, key, range, WHOLE) } : found
    },
    analytics(name, range, keys, options = {}) {
      const view = viewNamed(name)
      return analytics(view, range, keys ?? keysWithin(now(view), range), options)
    },
    whole: (name, range) => wholeOf(now(viewNamed(name)), range),
    cells(name, key, range) {
      const view = viewNamed(name)
      return seriesOf(view, key, range, { stepMs: view.index.view.bucketMs, as: view.index.view })
    },
    series(name, key, range, stepMs, explain) {
      const view = viewNamed(name)
      return seriesOf(view, key, range, { stepMs, as: withoutSources(view.index.view), explain })
    },
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
      return { cells, basis: at.basis, ...wholeOf(at, range) }
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
      state: following.failing === null ? 'ok' : 'failing',
      reason: following.failing,
      versions: Object.fromEntries(
        Array.from(following.views, ([name, { index }]) => [name, index.loaded.viewVersion]),
      ),
      seen: Array.from(following.views, ([view, { index, tables }]) => {
        const { hash, chainEnd, vouched, messagesSeen, covered } = index.loaded
        return { view, dataset: tables.view.dataset, hash, chainEnd, vouched, messagesSeen, covered }
      }),
    }),
    close: following.close,
  }
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
