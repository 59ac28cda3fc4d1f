import type { Disk } from '../../schemas/ports/disk.ts'
import type { Table } from '../delta/port.ts'
import type { ObjectStore, StoredObject } from '../store/port.ts'
import { lakeFiles, takeTable } from './lake-files.ts'
import { type BackupFile, listManifests, type Manifest, manifestKey, readManifest } from './manifest.ts'
import { BackupObjects, readContent } from './objects.ts'

/**
 * A backup of a data directory while a process works on it:
 *
 *     journal ──▶ views ──▶ ticks ──▶ messages ──▶ what else the lake has ──▶ journal again ──▶ other files ──▶ manifest
 *
 * The journal is read first, since what the lake holds already may be trimmed from it while the rest is read, and last, since the lake
 * may have gone beyond what was read of it. So together they are a state like that after a crash: what is restored goes on from
 * it, and everything that was acknowledged before the backup began is in it. Until the manifest is written there is no backup.
 */
export interface BackupSource {
  readonly disk: Disk
  /** The data directory, absolute. */
  readonly dataDir: string
  readonly lake: ObjectStore
  /** Tables that the definitions of the lake name; others are found by lists. */
  readonly tables: readonly string[]
  openTable(name: string): Table
}

export interface BackedUp {
  readonly manifest: Manifest
  /** Bytes that no backup before had. */
  readonly writtenBytes: number
}

const JOURNAL = 'journal'
const SEGMENT = /\.journal$/
/** Of the data directory, beside journal and lake: folders and files. Caches, locks and addresses are left out. */
const FOLDERS = ['rejects', 'agent'] as const
const FILES = ['tokens.json'] as const

/** Backs up into `store`. `tell` hears of the files read so far. */
export async function backUp(
  source: BackupSource,
  store: ObjectStore,
  { time, signal, tell }: { time: string; signal: AbortSignal; tell(files: number): void },
): Promise<BackedUp> {
  const objects = await BackupObjects.open(store)
  const before = await newest(store)
  const known = new Map(before?.files.map((file) => [file.path, file]))
  const files = new Map<string, BackupFile>()
  const keep = async (path: string, bytes: Uint8Array | null): Promise<boolean> => {
    signal.throwIfAborted()
    if (bytes === null) return false
    files.set(path, await objects.keep(path, bytes))
    tell(files.size)
    return true
  }
  /**
   * What never changes under its name need not be read again while it is the same object: a lake that was restored and went on has
   * other commits under the same names, written at another time.
   */
  const keepObject = async ({ key, size, modifiedMs }: StoredObject): Promise<boolean> => {
    const path = `lake/${key}`
    const same = known.get(path)
    const isSame = same !== undefined && same.size === size && same.modified_ms === modifiedMs
    if (isSame && neverChanges(key) && objects.has(same.sha256)) files.set(path, same)
    else if (await keep(path, await source.lake.get(key)))
      files.set(path, { ...files.get(path)!, modified_ms: modifiedMs })
    else return false
    return true
  }

  const journal = new JournalReading(source, keep)
  await journal.first()
  const { tables: names, others } = await lakeFiles(source.lake, source.tables)
  const tables: { [table: string]: number } = {}
  for (const name of names) {
    const version = await takeTable(source.lake, source.openTable(name), keepObject)
    if (version !== null) tables[name] = version
  }
  for (const key of others) await keep(`lake/${key}`, await source.lake.get(key))
  await journal.again()
  for (const path of await otherFiles(source))
    await keep(path, await source.disk.readFile(`${source.dataDir}/${path}`))

  await objects.checkThere(files.values())
  const manifest: Manifest = { format: 1, time, tables, files: [...files.values()] }
  await store.put(manifestKey(time), new TextEncoder().encode(JSON.stringify(manifest)))
  return { manifest, writtenBytes: objects.writtenBytes }
}

async function newest(store: ObjectStore): Promise<Manifest | null> {
  const key = (await listManifests(store)).at(-1)
  return key === undefined ? null : readManifest(store, key)
}

function neverChanges(key: string): boolean {
  return /\.parquet$/.test(key) || /\/_delta_log\/\d{20}\.json$/.test(key)
}

/**
 * The segments of the journal, read twice. The newest, which grows, is held until the second time and kept as it is then; one that is
 * trimmed meanwhile is kept as it was.
 */
class JournalReading {
  readonly #source: BackupSource
  readonly #keep: (path: string, bytes: Uint8Array | null) => Promise<boolean>
  /** Of those that are kept. */
  readonly #sizes = new Map<string, number>()
  #newest: { readonly path: string; readonly bytes: Uint8Array } | null = null

  constructor(source: BackupSource, keep: (path: string, bytes: Uint8Array | null) => Promise<boolean>) {
    this.#source = source
    this.#keep = keep
  }

  async first(): Promise<void> {
    const paths = await this.#paths()
    for (const path of paths) {
      const bytes = await this.#read(path)
      if (bytes === null) continue
      if (path === paths.at(-1)) this.#newest = { path, bytes }
      else await this.#keepSegment(path, bytes)
    }
  }

  async again(): Promise<void> {
    for (const path of await this.#paths()) {
      const about = await this.#source.disk.stat(`${this.#source.dataDir}/${path}`)
      if (about === null || about.size === this.#sizes.get(path)) continue
      const bytes = await this.#read(path)
      if (bytes !== null) await this.#keepSegment(path, bytes)
    }
    if (this.#newest !== null && !this.#sizes.has(this.#newest.path))
      await this.#keepSegment(this.#newest.path, this.#newest.bytes)
  }

  async #keepSegment(path: string, bytes: Uint8Array): Promise<void> {
    await this.#keep(path, bytes)
    this.#sizes.set(path, bytes.length)
  }

  /** Sorted: the newest is the last. */
  async #paths(): Promise<string[]> {
    const { disk, dataDir } = this.#source
    const names = await disk.list(`${dataDir}/${JOURNAL}`)
    return names.filter((name) => SEGMENT.test(name)).map((name) => `${JOURNAL}/${name}`)
  }

  #read(path: string): Promise<Uint8Array | null> {
    return this.#source.disk.readFile(`${this.#source.dataDir}/${path}`)
  }
}

async function otherFiles({ disk, dataDir }: BackupSource): Promise<string[]> {
  const found: string[] = [...FILES]
  const walk = async (folder: string): Promise<void> => {
    for (const name of await disk.list(`${dataDir}/${folder}`)) {
      const path = `${folder}/${name}`
      const about = await disk.stat(`${dataDir}/${path}`)
      if (about?.isFolder) await walk(path)
      else if (about !== null && name !== 'lock') found.push(path)
    }
  }
  for (const folder of FOLDERS) await walk(folder)
  return found
}

/**
 * Removes all but the newest `count` backups, and the contents that only they had. `made`, if any, was just made: a list may not
 * show it yet. Returns how many backups went.
 */
export async function keepNewest(store: ObjectStore, count: number, made?: Manifest): Promise<number> {
  const listed = await listManifests(store)
  const keys = made === undefined ? listed : [...new Set([...listed, manifestKey(made.time)])].sort()
  const old = keys.slice(0, Math.max(0, keys.length - count))
  // The manifests first: a backup that lacks contents is worse than contents without a backup.
  for (const key of old) await store.delete(key)
  const objects = await BackupObjects.open(store)
  await objects.removeOthers(await Promise.all(keys.slice(old.length).map((key) => readManifest(store, key))))
  return old.length
}

/** Reads everything that a backup names. Throws `E_BACKUP` naming the first file that is missing or damaged. */
export async function verifyBackup(store: ObjectStore, manifest: Manifest): Promise<void> {
  for (const file of manifest.files) await readContent(store, file)
}
