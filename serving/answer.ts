import { describeError } from '../schemas/errors.ts'
import type { Clock } from '../schemas/ports/clock.ts'
import type { Disk } from '../schemas/ports/disk.ts'
import type { OpenCells, Wake } from '../schemas/ports/layers.ts'
import type { View } from '../schemas/view.ts'
import type { Answers } from './answers.ts'
import { statsAsOf } from './as-of.ts'
import { type LakeTables, planLoad } from './index/load.ts'
import { IndexStore } from './index/store.ts'
import { isKnown, keys, minutes, type Standing, series, standing, stats, summaries } from './merge.ts'

export interface AnswersConfig {
  readonly view: View
  readonly tickMs: number
  /** File of the SQLite index, or `:memory:`. */
  readonly indexPath: string
  /** How often the lake is looked at without being told of a commit. */
  readonly pollMs?: number
}

export interface AnswersDeps extends LakeTables {
  /** Removes the index file, so that it is made anew; absent for `:memory:`. */
  readonly disk?: Disk
  /** Null where no speed layer runs in this process. */
  readonly openCells: OpenCells | null
  readonly clock: Clock
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
  readonly viewVersion: number | null
}

const POLL_MS = 1_000
/** Speed may be behind the log's end for a tick and this before answers say so. */
const LAG_GRACE_MS = 5_000

/**
 * Starts what answers questions: an index that follows the lake, and the merge. The index is loaded before this
 * resolves, so the first answer is as good as any.
 */
export async function startAnswers(config: AnswersConfig, deps: AnswersDeps): Promise<AnswersServer> {
  const { view } = config
  const store = await openIndex(config, deps)
  let failing: string | null = null
  let closed = false
  let again = false
  let looked = false
  let loading: Promise<void> | null = null
  let cancelPoll = () => {}

  /** Loads until nothing new came in meanwhile; callers during a load share it. */
  function refresh(): Promise<void> {
    again = true
    if (closed) return Promise.resolve()
    loading ??= (async () => {
      while (again && !closed) {
        again = false
        try {
          const load = await planLoad(store, deps, view)
          if (load !== null && !closed) store.apply(load)
          failing = null
          looked = true
        } catch (error) {
          store.seen = []
          if (failing === null && !closed)
            deps.logLine(`serving: ${describeError(error)}; the last state answers`)
          failing = describeError(error)
        }
      }
      // In the same turn as the last look at `again`: nothing can slip in between.
      loading = null
    })()
    return loading
  }

  function armPoll() {
    cancelPoll = deps.clock.after(config.pollMs ?? POLL_MS, () => {
      armPoll()
      void refresh()
    })
  }

  function now(): Standing {
    return standing({
      store,
      openCells: deps.openCells,
      nowMs: deps.clock.nowMs(),
      lagMs: config.tickMs + LAG_GRACE_MS,
      unread: looked ? null : `the lake was not read since the start: ${failing ?? 'it is being read'}`,
    })
  }

  const stopWatching = deps.wake.subscribe(() => void refresh())
  armPoll()
  await refresh()

  return {
    view,
    refresh,
    services: () => summaries(now()),
    stats(key, range) {
      const at = now()
      return isKnown(at, key) ? stats(at, key, range) : null
    },
    analytics(range) {
      const at = now()
      return keys(at)
        .map((key) => stats(at, key, range))
        .filter(({ messages }) => messages > 0)
    },
    minutes(key, range) {
      const at = now()
      return isKnown(at, key) ? minutes(at, key, range) : null
    },
    series(key, range, stepMs) {
      const at = now()
      return isKnown(at, key) ? series(at, key, range, stepMs) : null
    },
    async statsAsOf(key, range, asOf) {
      return isKnown(now(), key) ? statsAsOf(deps.viewTable, view, key, range, asOf) : null
    },
    basis: () => now().basis,
    status: () => ({
      state: failing === null ? 'ok' : 'failing',
      reason: failing,
      viewVersion: store.loaded.viewVersion,
    }),
    async close() {
      stopWatching()
      cancelPoll()
      closed = true
      await loading
      store.close()
    },
  }
}

/** Opens the index; one that SQLite cannot read is a cache that is lost, and begun anew. */
async function openIndex(
  { indexPath, view }: AnswersConfig,
  { disk, logLine }: AnswersDeps,
): Promise<IndexStore> {
  try {
    return new IndexStore(indexPath, view)
  } catch (error) {
    if (disk === undefined || !isDamaged(error)) throw error
    logLine(`serving: ${indexPath} is damaged (${describeError(error)}) and made anew from the lake`)
    for (const end of ['', '-wal', '-shm']) await disk.remove(`${indexPath}${end}`)
    return new IndexStore(indexPath, view)
  }
}

function isDamaged(error: unknown): boolean {
  return ['SQLITE_NOTADB', 'SQLITE_CORRUPT'].some((code) =>
    (error as { code?: string }).code?.startsWith(code),
  )
}
