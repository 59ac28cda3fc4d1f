import { createHash } from 'node:crypto'
import { UNCOMMITTED_MS_MAX } from '../lake/delta/cleanup.ts'
import type { DataFile, Snapshot } from '../lake/delta/port.ts'
import type { ObjectStore } from '../lake/store/port.ts'
import { whollyWithin } from '../lake/tables/messages.ts'
import { isText, isWhole, storedJson } from '../lake/tables/stored-json.ts'
import { describeError } from '../schemas/errors.ts'
import type { Clock } from '../schemas/ports/clock.ts'
import { coversDate } from './engines/engine.ts'
import type { DatePlan, RunPlan } from './plan.ts'

/** Folder of the dates that are computed and not yet published; no table has such a name. */
const FOLDER = '_work/'
/** A file must be young enough that the rest of the run can take as long before its commit would be refused. */
const KEPT_MS_MAX = UNCOMMITTED_MS_MAX / 2
const DELETES_AT_ONCE = 16
/** Works that are being stored while further dates are computed. */
const STORED_AT_ONCE = 4

/** What computing a date gave: its file, written and not yet part of any version; null when it has no cells. */
export interface DateWork {
  readonly file: DataFile | null
}

/**
 * The dates of one view that runs computed and did not publish, kept so that whatever ends a run, the next one goes on behind
 * what is done:
 *
 *     computed ─▶ file in the view's folder ─▶ `_work/<view>/<what it was computed of>-<file>.json` ─▶ published ─▶ forgotten
 *
 * What a date is computed of names the work, so that it is taken again only by a plan that would give the same. A file that
 * is part of a version is never taken.
 */
export class Work {
  readonly #folder: string
  readonly #deps: WorkDeps
  /** Keys of objects by what the date was computed of. */
  readonly #found = new Map<string, string>()
  readonly #used = new Set<string>()
  readonly #storing: Promise<void>[] = []

  private constructor(view: string, deps: WorkDeps) {
    this.#folder = `${FOLDER}${view}/`
    this.#deps = deps
  }

  /** What there is for runs on top of `published`; what is too old, or published already, is forgotten. */
  static async open(view: string, published: Snapshot, deps: WorkDeps): Promise<Work> {
    const work = new Work(view, deps)
    const live = new Set([...published.files.keys()].map(fileName))
    const gone: string[] = []
    for (const { key, modifiedMs } of await deps.store.list(work.#folder)) {
      const [of = '', file = ''] = key.slice(work.#folder.length, -'.json'.length).split('-')
      const isOld = Math.max(deps.clock.nowMs(), published.timeMs) - modifiedMs > KEPT_MS_MAX
      if (isOld || live.has(file)) gone.push(key)
      else work.#found.set(of, key)
    }
    await work.#forget(gone)
    return work
  }

  /** The work that was kept under this name; null when there is none that can be read. */
  async take(name: string): Promise<DateWork | null> {
    const key = this.#found.get(name)
    const bytes = key === undefined ? null : await this.#deps.store.get(key)
    if (key === undefined || bytes === null) return null
    try {
      const { file } = storedJson<Kept>(key, new TextDecoder().decode(bytes), FIELDS)
      // The object itself may be younger, as after a restore.
      if (file !== null && this.#deps.clock.nowMs() - file.modifiedMs > KEPT_MS_MAX) return null
      this.#used.add(key)
      return { file }
    } catch (error) {
      this.#deps.logLine(`batch: ${describeError(error)}; it is computed again`)
      return null
    }
  }

  /** Keeps the work of a date; it is durable when `kept` resolves. Throws why one before could not be kept. */
  async keep(name: string, { file }: DateWork): Promise<void> {
    if (this.#storing.length >= STORED_AT_ONCE) await this.#storing.shift()
    const key = `${this.#folder}${name}-${file === null ? 'none' : fileName(file.path)}.json`
    const kept: Kept = { version: 1, name, file }
    this.#used.add(key)
    const storing = this.#deps.store.put(key, new TextEncoder().encode(`${JSON.stringify(kept)}\n`))
    // The caller that waits for it gets the error.
    storing.catch(() => {})
    this.#storing.push(storing)
  }

  /** Resolves when everything that was given to `keep` is durable. */
  async kept(): Promise<void> {
    await Promise.all(this.#storing.splice(0))
  }

  /** Forgets what was kept or taken, once it is published or cannot be. */
  forget(): Promise<void> {
    return this.#forget([...this.#used])
  }

  async #forget(keys: readonly string[]): Promise<void> {
    for (let i = 0; i < keys.length; i += DELETES_AT_ONCE)
      await Promise.all(keys.slice(i, i + DELETES_AT_ONCE).map((key) => this.#deps.store.delete(key)))
  }
}

export interface WorkDeps {
  readonly store: ObjectStore
  readonly clock: Clock
  logLine(line: string): void
}

interface Kept extends DateWork {
  readonly version: 1
  readonly name: string
}

const isFile = (value: unknown) =>
  value === null ||
  (typeof value === 'object' && isText((value as DataFile).path) && isWhole((value as DataFile).rows))
const FIELDS = { version: (value: unknown) => value === 1, name: isText, file: isFile }

/** A data file's name without folders and ending. */
function fileName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1).replace(/\.parquet$/, '')
}

/** A name for all that the file of a date depends on: two dates with the same name have the same cells. */
export function workName(plan: RunPlan, date: DatePlan, engine: string): string {
  const files = date.maps.map((map) => map.files)
  const straddles = files.flat().some((file) => !whollyWithin(file, plan.tidemark))
  const of = [
    engine,
    plan.hash,
    date.date,
    date.hours,
    files.map((map) => map.map(({ path }) => path)),
    straddles ? Object.entries(plan.tidemark).sort(([a], [b]) => Number(a) - Number(b)) : null,
    date.frozen.map(({ file }) => file.path),
    coversDate(date) || plan.replaces ? null : (date.base?.path ?? null),
  ]
  return createHash('sha256').update(JSON.stringify(of)).digest('hex').slice(0, 32)
}
