import { describeError, TidemarkError } from '../../schemas/errors.ts'
import type { Random } from '../../schemas/ports/clock.ts'
import type { Disk } from '../../schemas/ports/disk.ts'
import type { ObjectStore, StoredObject } from './port.ts'

/** Begins the names of files that are still being written. Readers of the tables skip names with a dot in front. */
const TEMPORARY = '.tmp-'

/**
 * An object store in the folder `dir` of a disk: the object `a/b` is the file `dir/a/b`. Any number of processes read; the one
 * that writes settles it first: files that a process before it was still writing are removed, and the names that it made
 * become durable then.
 *
 *     put            write .tmp-x, sync ─▶ rename to its name ─▶ sync the folder
 *     put if absent  write .tmp-x, sync ─▶ link to its name, which one caller wins ─▶ remove .tmp-x, sync the folder
 *
 * Until the rename or link nothing has happened, and a failure is `E_STORE`; from there on it is `E_STORE_AMBIGUOUS`.
 */
export class LocalStore implements ObjectStore {
  readonly #disk: Disk
  readonly #dir: string
  readonly #random: Random
  /** Folders known to be there, with durable names. */
  readonly #made = new Set<string>()

  constructor(disk: Disk, dir: string, random: Random) {
    this.#disk = disk
    this.#dir = dir
    this.#random = random
    this.#made.add(dir)
  }

  /** Makes the folder, removes what was still being written in it and makes the rest durable. Throws `E_STORE`. */
  settle(): Promise<void> {
    return asStore('E_STORE', this.#dir, async () => {
      await this.#disk.makeDir(this.#dir)
      await this.#disk.syncDir(parentOf(this.#dir))
      await settle(this.#disk, this.#dir)
    })
  }

  path(key: string): string {
    const parts = key.split('/')
    const wrong = parts.some(
      (part) =>
        part === '' || part === '.' || part === '..' || part.startsWith(TEMPORARY) || part.includes('\0'),
    )
    if (wrong) throw new TidemarkError('E_STORE', `${JSON.stringify(key)} cannot be the key of an object`)
    return `${this.#dir}/${key}`
  }

  url(key: string): string {
    return `file://${this.path(key)}`
  }

  get(key: string): Promise<Uint8Array | null> {
    return asStore('E_STORE', key, () => this.#disk.readFile(this.path(key)))
  }

  async has(key: string): Promise<boolean> {
    const found = await asStore('E_STORE', key, () => this.#disk.stat(this.path(key)))
    return found !== null && !found.isFolder
  }

  async put(key: string, bytes: Uint8Array): Promise<void> {
    const path = this.path(key)
    const temporary = await this.#writeTemporary(key, bytes)
    await asStore('E_STORE_AMBIGUOUS', key, async () => {
      await this.#disk.rename(temporary, path)
      await this.#disk.syncDir(parentOf(path))
    })
  }

  async putIfAbsent(key: string, bytes: Uint8Array): Promise<boolean> {
    const path = this.path(key)
    const temporary = await this.#writeTemporary(key, bytes)
    return asStore('E_STORE_AMBIGUOUS', key, async () => {
      const won = await this.#disk.link(temporary, path)
      await this.#disk.remove(temporary)
      // Also after losing: a writer that is told that the object exists may rely on it.
      await this.#disk.syncDir(parentOf(path))
      return won
    })
  }

  async list(prefix: string, after = ''): Promise<StoredObject[]> {
    const found: StoredObject[] = []
    const folder = prefix.slice(0, prefix.lastIndexOf('/') + 1)
    await asStore('E_STORE', prefix, () => this.#walk(folder, prefix, after, found))
    return found.sort((a, b) => (a.key < b.key ? -1 : 1))
  }

  delete(key: string): Promise<void> {
    return asStore('E_STORE', key, () => this.#disk.remove(this.path(key)))
  }

  /** Adds the objects below `folder`, which is empty or ends with a slash. */
  async #walk(folder: string, prefix: string, after: string, found: StoredObject[]): Promise<void> {
    const names = await this.#disk.list(`${this.#dir}/${folder}`.replace(/\/$/, ''))
    await atOnce(names, async (name) => {
      const key = folder + name
      if (name.startsWith(TEMPORARY) || !(key.startsWith(prefix) || prefix.startsWith(`${key}/`))) return
      // What sorts before `after` and does not begin it has nothing after it, be it a file or a folder.
      if (key < after && !after.startsWith(key)) return
      const stat = await this.#disk.stat(`${this.#dir}/${key}`)
      if (stat?.isFolder) await this.#walk(`${key}/`, prefix, after, found)
      else if (stat && key > after && key.startsWith(prefix)) {
        found.push({ key, size: stat.size, modifiedMs: stat.modifiedMs })
      }
    })
  }

  async #writeTemporary(key: string, bytes: Uint8Array): Promise<string> {
    const folder = parentOf(this.path(key))
    const temporary = `${folder}/${TEMPORARY}${this.#random.hex(8)}`
    try {
      return await asStore('E_STORE', key, async () => {
        await this.#makeFolder(folder)
        const file = await this.#disk.open(temporary, { create: true })
        try {
          await file.write(0, bytes)
          await file.sync()
        } finally {
          await file.close()
        }
        return temporary
      })
    } catch (error) {
      this.#made.delete(folder)
      await this.#disk.remove(temporary).catch(() => {})
      throw error
    }
  }

  /** Makes a folder, and every name on the way to it durable. */
  async #makeFolder(folder: string): Promise<void> {
    if (folder === this.#dir || this.#made.has(folder)) return
    await this.#makeFolder(parentOf(folder))
    await this.#disk.makeDir(folder)
    await this.#disk.syncDir(parentOf(folder))
    this.#made.add(folder)
  }
}

/**
 * Removes what was still being written below `dir`, and makes durable what is there: a process that died between a link
 * and the sync of its folder left a version that readers see and that a power loss would take back.
 */
async function settle(disk: Disk, dir: string): Promise<void> {
  await atOnce(await disk.list(dir), async (name) => {
    const path = `${dir}/${name}`
    if (name.startsWith(TEMPORARY)) await disk.remove(path)
    else if ((await disk.stat(path))?.isFolder) await settle(disk, path)
  })
  await disk.syncDir(dir)
}

/** Names of one folder that are looked at together: a disk answers several questions in the time of one. */
const NAMES_AT_ONCE = 8

/** Does `work` for each name, several at a time; for all of them also when one fails. Throws what the first that failed threw. */
async function atOnce(names: readonly string[], work: (name: string) => Promise<void>): Promise<void> {
  const waiting = names.values()
  const one = async () => {
    for (const name of waiting) await work(name)
  }
  const ended = await Promise.allSettled(Array.from({ length: NAMES_AT_ONCE }, one))
  for (const result of ended) if (result.status === 'rejected') throw result.reason
}

/** The store in `dir`, settled: for the one process that writes there. */
export async function localStore(disk: Disk, dir: string, random: Random): Promise<ObjectStore> {
  const store = new LocalStore(disk, dir, random)
  await store.settle()
  return store
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/')) || '/'
}

async function asStore<T>(
  code: 'E_STORE' | 'E_STORE_AMBIGUOUS',
  key: string,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw new TidemarkError(code, `object ${JSON.stringify(key)}: ${describeError(error)}`, { cause: error })
  }
}
