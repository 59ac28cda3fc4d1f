import type { Snapshot } from '../lake/delta/port.ts'
import type { DatasetTables, LakeTables, ViewTables } from '../lake/tables/deployment.ts'
import { viewState } from '../lake/tables/published.ts'
import { Coalesced } from '../schemas/coalesced.ts'
import { describeError } from '../schemas/errors.ts'
import { memoize } from '../schemas/memoize.ts'
import type { Clock, Pause } from '../schemas/ports/clock.ts'
import type { Disk } from '../schemas/ports/disk.ts'
import type { Wake } from '../schemas/ports/layers.ts'
import { IMPORT_PARTITION, offsetIn } from '../schemas/position.ts'
import { isDamaged } from './index/database.ts'
import { load, look, type Seen } from './index/load.ts'
import type { IndexLoader } from './index/loader.ts'
import type { ChunkReader } from './index/reader.ts'
import { emptyIndex, type ViewIndex } from './index/view-index.ts'
import type { Imports } from './moment.ts'
import { openIndex, removeIndex } from './open-index.ts'

export interface FollowConfig {
  /** File of the SQLite index, or `:memory:`. */
  readonly indexPath: string
  /** Days before the newest date of a version whose minutes the index holds; 35 when absent. */
  readonly indexDays?: number
  /** The log's partitions where no speed layer runs in this process: their ticks must vouch for the newest messages. */
  readonly partitions?: readonly number[]
  /** How often the lake is looked at without being told of a commit. */
  readonly pollMs?: number
}

export interface FollowDeps {
  readonly tables: Pick<LakeTables, 'datasets'>
  /** Fills the index. */
  readonly loader: IndexLoader
  /** Removes the index file, so that it is made anew; absent for `:memory:`. */
  readonly disk?: Disk
  readonly clock: Clock
  readonly wake: Wake
  /** Called within long loads; absent: they are made without a pause. */
  readonly pause?: Pause
  /** Called when answers of a view stand on another index from now on. */
  moved?(index: ViewIndex): void
  logLine(line: string): void
}

/** A view whose table is followed. */
export interface Followed {
  readonly dataset: DatasetTables
  readonly tables: ViewTables
  /** As it is now; another takes its place. */
  readonly index: ViewIndex
  /** Whether the lake was read since the index is open. */
  readonly looked: boolean
  /** What the newest version that was seen holds of imports; null before the first. */
  readonly imports: Imports | null
}

/** The serving index, which follows the lake. */
export interface Following {
  /** By name. */
  readonly views: ReadonlyMap<string, Followed>
  /** Why the last look at the lake failed; null when it did not. */
  readonly failing: string | null
  /** Looks at the lake now, or fails; callers during a look share the one behind it. */
  refresh(): Promise<void>
  /** What is in the index now, for that which answers from it. Its calls throw what `isDamaged` knows. */
  readonly reader: Pick<ChunkReader, 'read' | 'readAll' | 'days' | 'sums'>
  /** The index turned out to be damaged: it is made anew. */
  damaged(error: unknown): void
  close(): Promise<void>
}

const POLL_MS = 1_000
const INDEX_DAYS = 35

interface FollowedState extends Followed {
  index: ViewIndex
  imports: Imports | null
  /** What the last look at the lake saw; null when it is to be looked at whatever it sees. */
  seen: Seen | null
  looked: boolean
}

/** Opens the index and follows the lake. It was looked at, or that failed, before this resolves. */
export async function followLake(config: FollowConfig, deps: FollowDeps): Promise<Following> {
  const { loader, pause = async () => {} } = deps
  const { partitions = [] } = config
  const views = new Map<string, FollowedState>()
  for (const dataset of deps.tables.datasets) {
    for (const tables of dataset.views)
      views.set(tables.view.name, {
        dataset,
        tables,
        index: emptyIndex(tables.view),
        seen: null,
        looked: false,
        imports: null,
      })
  }
  const names = [...views.keys()]
  let reader = await openIndex(config.indexPath, deps, loader, names)
  let closed = false
  let lost = false
  let isLoading = false
  let cancelPoll = () => {}

  const loading = new Coalesced(loadAll, {
    say: (reason) => deps.logLine(`serving: ${reason}; the last state answers`),
  })
  const refresh = () => loading.kick()

  async function loadAll(): Promise<void> {
    isLoading = true
    try {
      if (lost) await makeAnew()
      await followAll()
    } catch (error) {
      if (isDamaged(error)) lost = true
      throw error
    } finally {
      isLoading = false
    }
  }

  /** During a load that takes long: what was published meanwhile, of this view or of others that wait for it. */
  async function noteImports(): Promise<void> {
    for (const view of views.values()) view.imports = importsOf(await view.tables.published.snapshot())
  }

  /** Each view follows on its own: what one cannot read keeps no other back. Throws the first of what they throw. */
  async function followAll(): Promise<void> {
    const failures: unknown[] = []
    for (const view of views.values()) {
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

  async function follow(view: FollowedState): Promise<void> {
    const { dataset, tables } = view
    const about = {
      dataset,
      tables,
      loader,
      indexDays: config.indexDays ?? INDEX_DAYS,
      partitions,
      closed: () => closed,
      pause,
    }
    const seen = await look(about)
    view.imports = importsOf(seen.published)
    if (view.seen !== null && isSame(seen, view.seen)) return
    for (let isWhole = false; !isWhole; ) {
      const next = await load(view.index, seen, about)
      if (next === null) return
      view.index = next.take()
      deps.moved?.(view.index)
      isWhole = next.isWhole
      // Damage may have been mended by the next look.
      view.seen = isWhole && view.index.loaded.damaged.length === 0 ? seen : null
      // What stood on the files before is answered: nothing waits between.
      await loader.dropOthers(tables.view.name, view.index.loaded.files)
      if (!isWhole) await pause()
    }
  }

  /** The index was damaged while it was open: another takes its place. */
  async function makeAnew(): Promise<void> {
    // First, so that nothing asks the index while it is closed.
    for (const view of views.values()) {
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
      // What cannot be read now is said by the load.
      if (isLoading) void noteImports().catch(() => {})
      void refresh()
    })
  }

  const stopWatching = deps.wake.subscribe(() => void refresh())
  armPoll()
  await refresh()

  return {
    views,
    get failing() {
      return loading.failing
    },
    refresh,
    get reader() {
      return reader
    },
    damaged(error) {
      if (!lost) deps.logLine(`serving: ${describeError(error)}; the index is made anew from the lake`)
      lost = true
      void refresh()
    },
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

/** Asked for at every look at the lake, which mostly shows the version that is known. */
const importsIn = memoize((published: Snapshot): Imports | null => {
  const state = viewState(published)
  return state && { to: offsetIn(state.tidemark, IMPORT_PARTITION), publishedMs: published.timeMs }
})

const importsOf = (published: Snapshot | null) => published && importsIn(published)

function isSame(a: Seen, b: Seen): boolean {
  return a.published === b.published && a.ticks === b.ticks && a.messages === b.messages
}
