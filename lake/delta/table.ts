import { crc32 } from 'node:zlib'
import { isError, TidemarkError } from '../../schemas/errors.ts'
import type { Clock, Random } from '../../schemas/ports/clock.ts'
import type { ObjectStore } from '../store/port.ts'
import { metaDataJson, PROTOCOL, parseCommit } from './actions.ts'
import { conflict, conflictOf, encodeCommit, putCommit } from './commit.ts'
import { listLog, loadState, oldestReadable, readCommit } from './log.ts'
import { commitKey } from './names.ts'
import type { Change, Changes, DataFile, FileAbout, Snapshot, Table, TableSchema } from './port.ts'
import { applyCommit, type TableState } from './replay.ts'
import { CHECKPOINT_EVERY, cleanLog, vacuum, writeCheckpoint } from './upkeep.ts'

export interface TableDeps {
  readonly store: ObjectStore
  readonly clock: Clock
  readonly random: Random
}

/** Lost races before a commit gives up: more means that something else is wrong. */
const COMMIT_TRIES_MAX = 50
/** So long the next version is looked for by name alone; after that the log is listed, as it may have been cleaned up. */
const LIST_AFTER_MS = 60_000

/** A Delta table below the key `name` of the store. Any number of these may work on one table, in any process. */
export function openTable(name: string, deps: TableDeps): Table {
  return new DeltaTable(name, deps)
}

class DeltaTable implements Table {
  readonly name: string
  readonly #store: ObjectStore
  readonly #clock: Clock
  readonly #random: Random
  #state: TableState | null = null
  #seenMs = Number.NEGATIVE_INFINITY
  /** Looks at the log go one after the other: each sees everything that was there when it was asked for. */
  #looking: Promise<unknown> = Promise.resolve()
  #checkpointed: number | null = null
  readonly #verified = new Set<string>()

  constructor(name: string, { store, clock, random }: TableDeps) {
    this.name = name
    this.#store = store
    this.#clock = clock
    this.#random = random
  }

  snapshot(): Promise<Snapshot | null> {
    return this.#newest()
  }

  #newest(): Promise<TableState | null> {
    const look = this.#looking.then(() => this.#look())
    this.#looking = look.catch(() => {})
    return look
  }

  async #look(): Promise<TableState | null> {
    const nowMs = this.#clock.nowMs()
    const stale = Math.abs(nowMs - this.#seenMs) > LIST_AFTER_MS
    if (this.#state === null || (stale && (await this.#isBehindCleanUp()))) {
      this.#see(await loadState(this.#store, this.name))
    } else {
      for (let next = await this.#after(this.#state); next !== null; next = await this.#after(next))
        this.#see(next)
    }
    this.#seenMs = nowMs
    return this.#state
  }

  async #after(state: TableState): Promise<TableState | null> {
    const commit = await readCommit(this.#store, this.name, state.version + 1)
    return commit === null ? null : applyCommit(state, commit)
  }

  /** Whether commits between the cached version and the newest are gone. */
  async #isBehindCleanUp(): Promise<boolean> {
    const { commits } = await listLog(this.#store, this.name, this.#state!.version)
    return commits.length > 0 && commits[0] !== this.#state!.version + 1
  }

  #see(state: TableState | null): void {
    if (state !== null && state.version > (this.#state?.version ?? -1)) this.#state = state
  }

  async at(version: number): Promise<Snapshot> {
    const newest = await this.#newest()
    if (newest !== null && newest.version === version) return newest
    if (newest !== null && version >= 0 && version < newest.version) {
      try {
        const state = await loadState(this.#store, this.name, version)
        if (state?.version === version) return state
      } catch (error) {
        if (!isError(error, 'E_TABLE_DAMAGED')) throw error
      }
    }
    throw await this.#gone(`version ${version}`)
  }

  async #gone(what: string): Promise<TidemarkError> {
    const oldest = oldestReadable(await listLog(this.#store, this.name))
    const kept = oldest === null ? 'there is none' : `the oldest is ${oldest}`
    return new TidemarkError('E_VERSION_GONE', `${this.name} has no ${what} any more; ${kept}`, {
      field: 'as_of',
    })
  }

  async versionAt(timeMs: number): Promise<number> {
    const listing = await listLog(this.#store, this.name)
    const oldest = oldestReadable(listing)
    const versions = listing.commits.filter((version) => oldest !== null && version >= oldest)
    let low = 0
    let high = versions.length
    while (low < high) {
      const middle = (low + high) >> 1
      const commit = await readCommit(this.#store, this.name, versions[middle]!)
      if (commit !== null && commit.timeMs <= timeMs) low = middle + 1
      else high = middle
    }
    if (low === 0) throw await this.#gone(`version of ${new Date(timeMs).toISOString()}`)
    return versions[low - 1]!
  }

  async create(schema: TableSchema, configuration: Record<string, string>): Promise<Snapshot> {
    const existing = await this.#newest()
    if (existing !== null) return existing
    const timeMs = this.#clock.nowMs()
    const id = uuid(this.#random)
    const commitId = this.#random.hex(16)
    const lines = [
      { commitInfo: { timestamp: timeMs, operation: 'CREATE TABLE', commitId } },
      { protocol: PROTOCOL },
      { metaData: metaDataJson({ id, schema, configuration, createdMs: timeMs }) },
    ]
    const bytes = new TextEncoder().encode(`${lines.map((line) => JSON.stringify(line)).join('\n')}\n`)
    await putCommit(this.#store, this.name, 0, bytes, { commitId, clock: this.#clock })
    return (await this.#newest()) as TableState
  }

  async commit(base: Snapshot, change: Change): Promise<Snapshot> {
    const commitId = this.#random.hex(16)
    let on = this.#state ?? (await this.#newest())
    for (let tries = 0; on !== null && tries < COMMIT_TRIES_MAX; tries++) {
      if (on.version < base.version) on = (await this.#newest()) as TableState
      const reason = conflictOf(base, on, change)
      if (reason !== null) throw conflict(this.name, reason)
      const timeMs = Math.max(this.#clock.nowMs(), on.timeMs + 1)
      const version = on.version + 1
      const bytes = encodeCommit(on, change, { timeMs, commitId })
      if (await putCommit(this.#store, this.name, version, bytes, { commitId, clock: this.#clock })) {
        const next = applyCommit(on, parseCommit(version, bytes, commitKey(this.name, version)))
        this.#see(next)
        return next
      }
      on = await this.#newest()
    }
    throw conflict(this.name, `the race for a version was lost ${COMMIT_TRIES_MAX} times`)
  }

  async changes(from: number, to: number): Promise<Changes | null> {
    const added = new Map<string, DataFile>()
    const removed: string[] = []
    for (let version = from + 1; version <= to; version++) {
      const commit = await readCommit(this.#store, this.name, version)
      if (commit === null) return null
      for (const { file, dataChange } of commit.add) if (dataChange) added.set(file.path, file)
      for (const { path, dataChange } of commit.remove) if (dataChange) removed.push(path)
    }
    return { added: [...added.values()], removed }
  }

  async writeFile(bytes: Uint8Array, about: FileAbout): Promise<DataFile> {
    const folder = Object.entries(about.partition)
      .map(([column, value]) => `${column}=${value ?? '__HIVE_DEFAULT_PARTITION__'}/`)
      .join('')
    const path = `${folder}part-${this.#random.hex(16)}.parquet`
    await this.#store.put(`${this.name}/${path}`, bytes)
    return {
      path,
      size: bytes.length,
      modifiedMs: this.#clock.nowMs(),
      partition: about.partition,
      rows: about.rows,
      min: about.min,
      max: about.max,
      nulls: about.nulls ?? {},
      tags: { ...about.tags, crc32: checksum(bytes) },
    }
  }

  async readFile(file: DataFile): Promise<Uint8Array> {
    const key = `${this.name}/${file.path}`
    const bytes = await this.#store.get(key)
    if (bytes === null) throw new TidemarkError('E_FILE_DAMAGED', `${key} is missing`)
    const expected = file.tags.crc32
    if (expected !== undefined && checksum(bytes) !== expected) {
      this.#verified.delete(file.path)
      throw new TidemarkError('E_FILE_DAMAGED', `${key} is damaged: its CRC-32 is not ${expected}`)
    }
    return bytes
  }

  async verify(file: DataFile): Promise<void> {
    if (this.#verified.has(file.path)) return
    await this.readFile(file)
    this.#verified.add(file.path)
  }

  async localPath(file: DataFile): Promise<string> {
    await this.verify(file)
    const path = this.#store.path?.(`${this.name}/${file.path}`)
    if (path === undefined) throw new TidemarkError('E_STORE', `${this.name} does not lie on a local disk`)
    return path
  }

  async tend(nowMs: number, retentionMs: number): Promise<void> {
    const state = await this.#newest()
    if (state === null) return
    const cutOffMs = nowMs - retentionMs
    this.#checkpointed ??= (await listLog(this.#store, this.name)).checkpoints.at(-1) ?? 0
    if (state.version - this.#checkpointed >= CHECKPOINT_EVERY) {
      await writeCheckpoint(this.#store, this.name, state, cutOffMs)
      this.#checkpointed = state.version
      await cleanLog(this.#store, this.name, cutOffMs)
    }
    await vacuum(this.#store, this.name, state, cutOffMs)
    for (const path of this.#verified) if (!state.files.has(path)) this.#verified.delete(path)
  }
}

function checksum(bytes: Uint8Array): string {
  return crc32(bytes).toString(16).padStart(8, '0')
}

/** A version 4 UUID (RFC 9562). */
function uuid(random: Random): string {
  const hex = random.hex(16)
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `4${hex.slice(13, 16)}`,
    `8${hex.slice(17, 20)}`,
    hex.slice(20),
  ].join('-')
}
