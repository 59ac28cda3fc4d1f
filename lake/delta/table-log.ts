import type { ObjectStore, StoredObject } from '../store/port.ts'
import { type Commit, parseCommit } from './actions.ts'
import { decodeCheckpoint } from './checkpoint-file.ts'
import { KnownCommits } from './known-commits.ts'
import type { State } from './replay.ts'

/** What a table's log folder holds, ascending. Other files in it are not ours to judge. */
export interface Listing {
  readonly commits: readonly number[]
  readonly checkpoints: readonly number[]
}

/** `listing` and a checkpoint that stands there, although a list may not show it yet. */
export function withCheckpoint({ commits, checkpoints }: Listing, version: number): Listing {
  return { commits, checkpoints: [...new Set([...checkpoints, version])].sort((a, b) => a - b) }
}

/** Objects read at once. */
export const READS_AT_ONCE = 16
/** Commit times remembered; one is a few bytes. */
const TIMES_MAX = 10_000
const NAME = /^(\d{20})\.(json|checkpoint\.parquet)$/

/** The log of one table in the store: its names, and its files as values. */
export class TableLog {
  readonly name: string
  readonly store: ObjectStore
  readonly folder: string
  readonly known = new KnownCommits()
  readonly #times = new Map<number, number>()

  constructor(name: string, store: ObjectStore) {
    this.name = name
    this.store = store
    this.folder = `${name}/_delta_log/`
  }

  /** Another table stands in the place of that one, as `log` has read it. */
  become(log: TableLog): void {
    this.known.become(log.known)
    this.#times.clear()
  }

  commitKey(version: number): string {
    return `${this.folder}${digits(version)}.json`
  }

  checkpointKey(version: number): string {
    return `${this.folder}${digits(version)}.checkpoint.parquet`
  }

  get lastCheckpointKey(): string {
    return `${this.folder}_last_checkpoint`
  }

  async list(): Promise<Listing> {
    return this.sort(await this.store.list(this.folder))
  }

  /** The objects of a version and of all that follow it. */
  listFrom(version: number): Promise<StoredObject[]> {
    return this.store.list(this.folder, version > 0 ? this.commitKey(version - 1) : undefined)
  }

  /** `listing` and every commit up to `version` that a list may not show yet. */
  async withUnlisted({ commits, checkpoints }: Listing, version: number): Promise<Listing> {
    let first = commits[0] ?? version
    while (first > 0 && (await this.store.get(this.commitKey(first - 1))) !== null) first -= 1
    const named = Array.from({ length: Math.max(0, version + 1 - first) }, (_, i) => first + i)
    return { commits: named, checkpoints }
  }

  /** The log's part of a list of objects. */
  sort(objects: readonly { readonly key: string }[]): Listing {
    const commits: number[] = []
    const checkpoints: number[] = []
    for (const { key } of objects) {
      const match = key.startsWith(this.folder) ? NAME.exec(key.slice(this.folder.length)) : null
      if (match) (match[2] === 'json' ? commits : checkpoints).push(Number(match[1]))
    }
    return { commits, checkpoints }
  }

  /** Null when it is not there; throws like `parseCommit`. */
  async readCommit(version: number): Promise<Commit | null> {
    const key = this.commitKey(version)
    const bytes = await this.store.get(key)
    if (bytes === null) return null
    const commit = parseCommit(key, version, bytes)
    this.known.note(version, bytes)
    return commit
  }

  /** The commits of the versions `(from, to]`; ends before the first that is not there. */
  async readCommits(from: number, to: number): Promise<Commit[]> {
    const commits: Commit[] = []
    for (let next = from + 1; next <= to; next += READS_AT_ONCE) {
      const count = Math.min(READS_AT_ONCE, to - next + 1)
      const read = await Promise.all(Array.from({ length: count }, (_, i) => this.readCommit(next + i)))
      for (const commit of read) {
        if (commit === null) return commits
        commits.push(commit)
      }
    }
    return commits
  }

  /** The commits of the versions `(from, to]`, as of `readCommits`, and when all are there those that follow them. */
  async readCommitsOn(from: number, to: number): Promise<Commit[]> {
    const commits = await this.readCommits(from, to)
    if (commits.length < to - from) return commits
    for (let next = Math.max(from, to) + 1; ; next++) {
      const commit = await this.readCommit(next)
      if (commit === null) return commits
      commits.push(commit)
    }
  }

  /** Null when it is not there; throws like `parseCommit`. */
  async readCheckpoint(version: number): Promise<{ state: State; actions: number } | null> {
    const key = this.checkpointKey(version)
    const bytes = await this.store.get(key)
    if (bytes === null) return null
    const time = async () => (await this.readCommit(version))?.timeMs ?? null
    return decodeCheckpoint(this.name, key, version, bytes, time)
  }

  /**
   * Commit time of a version, from its commit or, where that is gone, its checkpoint; null when both are. Other
   * writers' times need not grow; versions count as they come.
   */
  async timeOf(version: number): Promise<number | null> {
    const known = this.#times.get(version)
    if (known !== undefined) return known
    const commit = await this.readCommit(version)
    const timeMs = commit
      ? (commit.timeMs ?? 0)
      : ((await this.readCheckpoint(version))?.state.timeMs ?? null)
    if (this.#times.size >= TIMES_MAX) this.#times.clear()
    if (timeMs !== null) this.#times.set(version, timeMs)
    return timeMs
  }
}

function digits(version: number): string {
  return String(version).padStart(20, '0')
}

/** The last of `versions` (ascending, and so are their times) committed at or before `timeMs`; null when none was. */
export async function lastAtOrBefore(
  log: TableLog,
  versions: readonly number[],
  timeMs: number,
): Promise<number | null> {
  let low = 0
  let high = versions.length
  while (low < high) {
    const middle = (low + high) >>> 1
    const time = await log.timeOf(versions[middle]!)
    if (time === null || time <= timeMs) low = middle + 1
    else high = middle
  }
  return low === 0 ? null : versions[low - 1]!
}
