import type { ObjectStore } from '../lake/store/port.ts'
import { isList, isText, isWhole, storedJson } from '../lake/tables/stored-json.ts'
import { describeError } from '../schemas/errors.ts'
import type { Clock } from '../schemas/ports/clock.ts'
import type { RunRecord, StageRecord } from '../schemas/ports/layers.ts'

/** Folder of the runs that are going on, or ended without a record; no table has such a name. */
const FOLDER = '_runs/'

/** What a stage gave, and the figures of it. */
export interface StageDone<T> {
  readonly made: T
  /** One, or several where one step of the engine does several stages. */
  readonly records: readonly Omit<StageRecord, 'seconds' | 'joined' | 'error'>[]
}

export interface StagesDeps {
  readonly store: ObjectStore
  readonly clock: Clock
}

/**
 * The stages of one view's part of a run. They are kept in the lake, and a stage starts only when what was done before it is
 * there: of a run whose process was killed one can see how far it came. An engine may do map and reduce of a date as one
 * step; then the time of both stands with reduce, and map says that it is joined to it.
 */
export class Stages {
  readonly #key: string
  readonly #about: RunRecord
  readonly #deps: StagesDeps
  readonly #records: StageRecord[] = []
  #kept = 0

  constructor(about: RunRecord, deps: StagesDeps) {
    this.#key = `${FOLDER}${about.run}.${about.view}.json`
    this.#about = about
    this.#deps = deps
  }

  get records(): readonly StageRecord[] {
    return [...this.#records]
  }

  /** Does a stage, once those before are recorded as done. Records how it failed when `work` throws, and throws the same. */
  async stage<T>(stage: StageRecord['stage'], work: () => Promise<StageDone<T>>): Promise<T> {
    const { clock } = this.#deps
    if (this.#records.length > this.#kept) await this.#keep()
    const startedMs = clock.nowMs()
    const seconds = () => Math.max(0, clock.nowMs() - startedMs) / 1_000
    try {
      const { made, records } = await work()
      const last = records.at(-1)?.stage ?? null
      for (const [i, record] of records.entries()) {
        const timed =
          i === records.length - 1 ? { seconds: seconds(), joined: null } : { seconds: null, joined: last }
        this.#records.push({ ...record, ...timed, error: null })
      }
      return made
    } catch (error) {
      const nothing = { files: 0, rows: 0, bytes: 0 }
      const failed = { inputs: nothing, rows: null, bytes: null, reused: 0 }
      this.#records.push({ stage, ...failed, seconds: seconds(), joined: null, error: describeError(error) })
      throw error
    }
  }

  async #keep(): Promise<void> {
    const kept: Kept = { version: 1, ...this.#about, stages: this.records }
    await this.#deps.store.put(this.#key, new TextEncoder().encode(`${JSON.stringify(kept)}\n`))
    this.#kept = this.#records.length
  }

  /** Once the run itself is recorded. */
  async forget(): Promise<void> {
    if (this.#kept > 0) await this.#deps.store.delete(this.#key)
  }
}

interface Kept extends RunRecord {
  readonly version: 1
}

const FIELDS = {
  version: (value: unknown) => value === 1,
  run: isText,
  view: isText,
  startedMs: isWhole,
  stages: isList,
}

/** A run that left no record: what was kept of it, and when that was. */
export interface LeftRun {
  readonly record: RunRecord
  readonly heardMs: number
  /** Once it is recorded. */
  forget(): Promise<void>
}

/** The runs of which stages are kept: those that go on, and those that ended without a record. */
export async function leftRuns(store: ObjectStore): Promise<LeftRun[]> {
  const found: LeftRun[] = []
  for (const { key, modifiedMs } of await store.list(FOLDER)) {
    const forget = () => store.delete(key)
    const bytes = await store.get(key)
    if (bytes === null) continue
    try {
      const { version: _, ...record } = storedJson<Kept>(key, new TextDecoder().decode(bytes), FIELDS)
      found.push({ record, heardMs: modifiedMs, forget })
    } catch {
      // What tells of a run is a comfort: what cannot be read is not kept.
      await forget()
    }
  }
  return found
}
