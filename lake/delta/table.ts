import { Coalesced } from '../../schemas/coalesced.ts'
import type { Clock, Random } from '../../schemas/ports/clock.ts'
import type { ObjectStore, StoredObject } from '../store/port.ts'
import { commitInfo, type MetaData, PROTOCOL, serialise } from './actions.ts'
import { isCheckpointDue, writeCheckpoint } from './checkpoint.ts'
import { cleanFiles, cleanLog, cleanTombstones, cutoffs, oldEntries, unneeded } from './cleanup.ts'
import { commitChange, putVersion } from './commit.ts'
import { DataFiles } from './data-files.ts'
import { goneVersion, newest, oldestKept, readChanges, readVersion, readVersionAt } from './history.ts'
import { badCommit } from './mend.ts'
import type { Change, Changes, DataFile, FileAbout, Snapshot, Table, TableSchema } from './port.ts'
import { forgetTombstones, replay, type State } from './replay.ts'
import { schemaString } from './schema-string.ts'
import { TableLog, withCheckpoint } from './table-log.ts'

export interface TableDeps {
  readonly store: ObjectStore
  readonly clock: Clock
  readonly random: Random
  /** Hears of a commit that was lost or altered, and is made good; absent: nobody does. */
  logLine?(line: string): void
}

/** The table in the folder `name` of the store; it need not exist. Calls may overlap. */
export function openTable(name: string, deps: TableDeps): Table {
  return new DeltaTable(name, deps)
}

class DeltaTable implements Table {
  readonly name: string
  readonly #deps: TableDeps
  readonly #log: TableLog
  readonly #files: DataFiles
  /** The newest state seen; states are never changed. */
  #state: State | null = null
  readonly #look = new Coalesced(async () => this.#adopt(await newest(this.#log, this.#state)))

  constructor(name: string, deps: TableDeps) {
    this.name = name
    this.#deps = deps
    this.#log = new TableLog(name, deps.store)
    this.#files = new DataFiles(name, deps)
  }

  /** A list that runs already may have missed a commit that returned before this call. */
  snapshot(): Promise<State | null> {
    return this.#look.run()
  }

  #adopt(state: State | null): State | null {
    const isAnother = this.#state !== null && state?.metaData.id !== this.#state.metaData.id
    if (state !== null && (isAnother || state.version > (this.#state?.version ?? -1))) this.#state = state
    return this.#state
  }

  async at(version: number): Promise<Snapshot> {
    const state = await this.snapshot()
    if (state?.version === version) return state
    return readVersion(this.#log, version, state)
  }

  async versionAt(timeMs: number): Promise<number> {
    const state = await this.snapshot()
    if (state !== null && state.timeMs <= timeMs) return state.version
    return readVersionAt(this.#log, timeMs, state)
  }

  async goneOr(error: unknown, version: number): Promise<unknown> {
    const newest = await this.snapshot()
    const oldest = await oldestKept(this.#log, newest)
    if (oldest !== null && version >= oldest.version) return error
    return goneVersion(this.#log, `the rows of version ${version}`, newest)
  }

  async create(schema: TableSchema, configuration: Record<string, string>): Promise<Snapshot> {
    const { clock, random } = this.#deps
    const found = await this.snapshot()
    if (found !== null) return found
    const nowMs = clock.nowMs()
    const metaData: MetaData = {
      id: uuid(random),
      format: { provider: 'parquet', options: {} },
      schemaString: schemaString(schema),
      partitionColumns: schema.partitionBy,
      configuration,
      createdTime: nowMs,
    }
    const info = commitInfo(nowMs, random.hex(16), 'CREATE TABLE')
    const bytes = serialise([info, { protocol: PROTOCOL }, { metaData }])
    const commit = await putVersion({ log: this.#log, clock }, 0, bytes)
    if (commit === null) return (await this.snapshot())!
    const state = replay(this.name, null, [commit])
    this.#adopt(state)
    return state
  }

  async commit(base: Snapshot, change: Change): Promise<Snapshot> {
    const { clock, random } = this.#deps
    const deps = { log: this.#log, clock, random, newest: () => this.snapshot() }
    const state = await commitChange(deps, base, change)
    this.#adopt(state)
    return state
  }

  async commitId(version: number): Promise<string | null> {
    return (await this.#log.readCommit(version))?.id ?? null
  }

  changes(from: number, to: number): Promise<Changes | null> {
    return readChanges(this.#log, from, to)
  }

  writeFile(bytes: Uint8Array, about: FileAbout): Promise<DataFile> {
    return this.#files.write(bytes, about)
  }

  readFile(file: DataFile): Promise<Uint8Array> {
    return this.#files.read(file)
  }

  verify(file: DataFile): Promise<void> {
    return this.#files.verify(file)
  }

  localPath(file: DataFile): Promise<string> {
    return this.#files.localPath(file)
  }

  url(file: DataFile): string {
    return this.#files.url(file)
  }

  async removable(nowMs: number, retentionMs: number): Promise<StoredObject[]> {
    const objects = await this.#deps.store.list(`${this.name}/`)
    const state = await this.snapshot()
    if (state === null) return []
    const cutoff = cutoffs(nowMs, state.timeMs, retentionMs)
    const { keys } = await oldEntries(this.#log, this.#log.sort(objects), cutoff.olderMs)
    const gone = new Set([...keys, ...unneeded(`${this.name}/`, objects, state, cutoff)])
    return objects.filter(({ key }) => gone.has(key))
  }

  async tend(nowMs: number, retentionMs: number, { checkpoint = false } = {}): Promise<void> {
    // The files before the state: what is committed in between is then known to be live.
    const objects = await this.#deps.store.list(`${this.name}/`)
    const state = await this.snapshot()
    if (state === null) return
    const listed = this.#log.sort(objects)
    const cutoff = cutoffs(nowMs, state.timeMs, retentionMs)
    const bad = await badCommit(this.#log, objects, state.version)
    const isDue = checkpoint || bad !== null || isCheckpointDue(state, listed)
    if (isDue) await writeCheckpoint(this.#log, state, cutoff.olderMs)
    if (bad !== null) this.#deps.logLine?.(`lake: ${bad.key} was ${bad.fault}; ${madeGood(this.#log, state)}`)
    const listing = isDue ? withCheckpoint(listed, state.version) : listed
    const log = checkpoint ? await this.#log.withUnlisted(listing, state.version) : listing
    await cleanLog(this.#log, log, cutoff.olderMs)
    await cleanFiles(this.#log, objects, state, cutoff)
    if (checkpoint) await cleanTombstones(this.#log, state, cutoff)
    if (this.#state !== null) this.#state = forgetTombstones(this.#state, cutoff.olderMs)
  }
}

function madeGood(log: TableLog, { version }: State): string {
  return `${log.checkpointKey(version)} now holds what it said, so that nothing of the table is: look at the disk`
}

/** A random UUID, version 4 (RFC 9562): the table's id. */
function uuid(random: Random): string {
  const hex = random.hex(16)
  const variant = '89ab'[Number.parseInt(hex[16]!, 16) & 3]
  const parts = [hex.slice(0, 8), hex.slice(8, 12), `4${hex.slice(13, 16)}`]
  return [...parts, `${variant}${hex.slice(17, 20)}`, hex.slice(20)].join('-')
}
