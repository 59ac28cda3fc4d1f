import { isError, TidemarkError } from '../../schemas/errors.ts'
import type { Random } from '../../schemas/ports/clock.ts'
import type { Disk } from '../../schemas/ports/disk.ts'
import type { ObjectStore, StoredObject } from './port.ts'

/** Names of files that are being written; no reader of Delta tables looks at names with a dot in front. */
const TEMPORARY = '.tmp-'

/**
 * A folder as an object store. An object is written under a temporary name, synced, and then given its own: by a link,
 * which fails where the name exists (`putIfAbsent`), or by a rename, which replaces (`put`). The folder is synced before
 * the put returns. Temporary files that a crash left behind are removed here.
 */
export async function localStore(disk: Disk, dir: string, random: Random): Promise<ObjectStore> {
  await disk.makeDir(dir)
  await removeTemporary(disk, dir)
  const made = new Set<string>([dir])

  function pathOf(key: string): string {
    const parts = key.split('/')
    if (parts.some((part) => part === '' || part === '.' || part === '..' || part.startsWith(TEMPORARY))) {
      throw new TidemarkError('E_STORE', `${key} is no key of an object`)
    }
    return `${dir}/${key}`
  }

  async function write<T>(
    key: string,
    bytes: Uint8Array,
    name: (temporary: string, path: string) => Promise<T>,
  ) {
    const path = pathOf(key)
    const folder = path.slice(0, path.lastIndexOf('/'))
    const temporary = `${folder}/${TEMPORARY}${random.hex(8)}`
    try {
      if (!made.has(folder)) await disk.makeDir(folder)
      made.add(folder)
      const file = await disk.open(temporary, { create: true })
      try {
        await file.write(0, bytes)
        await file.sync()
      } finally {
        await file.close()
      }
      const result = await name(temporary, path)
      await disk.syncDir(folder)
      return result
    } catch (error) {
      await disk.remove(temporary).catch(() => {})
      throw storeError(error)
    }
  }

  async function walk(folder: string, wanted: (key: string) => boolean, into: StoredObject[]): Promise<void> {
    for (const name of await disk.list(folder)) {
      if (name.startsWith(TEMPORARY)) continue
      const path = `${folder}/${name}`
      const key = path.slice(dir.length + 1)
      if (!wanted(key)) continue
      const found = await disk.stat(path)
      if (found === null) continue
      if (found.isFolder) await walk(path, wanted, into)
      else into.push({ key, size: found.size, modifiedMs: found.modifiedMs })
    }
  }

  return {
    get: (key) => readOnly(() => disk.readFile(pathOf(key))),
    put: (key, bytes) => write(key, bytes, (temporary, path) => disk.rename(temporary, path)),
    putIfAbsent: (key, bytes) =>
      write(key, bytes, async (temporary, path) => {
        const first = await disk.link(temporary, path)
        await disk.remove(temporary)
        return first
      }),
    async list(prefix, after = '') {
      const folder = prefix.includes('/') ? `${dir}/${prefix.slice(0, prefix.lastIndexOf('/'))}` : dir
      const found: StoredObject[] = []
      // A folder is looked into when keys in it can begin with the prefix and sort after `after`.
      const wanted = (key: string) =>
        (key.startsWith(prefix) || prefix.startsWith(`${key}/`)) &&
        (key > after || after.startsWith(`${key}/`))
      await readOnly(() => walk(folder, wanted, found))
      return found.sort((a, b) => (a.key < b.key ? -1 : 1)).filter(({ key }) => key > after)
    },
    async delete(key) {
      await readOnly(() => disk.remove(pathOf(key)))
    },
    path: pathOf,
  }
}

async function removeTemporary(disk: Disk, folder: string): Promise<void> {
  for (const name of await disk.list(folder)) {
    const path = `${folder}/${name}`
    if (name.startsWith(TEMPORARY)) await disk.remove(path)
    else if ((await disk.stat(path))?.isFolder) await removeTemporary(disk, path)
  }
}

/** Calls that change nothing, or nothing that matters, fail clearly. */
async function readOnly<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw storeError(error)
  }
}

/** The file's name decides whether it is stored, and a failed call may have left it: unclear unless the disk was full. */
function storeError(error: unknown): unknown {
  if (!isError(error, 'E_DISK')) return error
  return new TidemarkError('E_STORE_AMBIGUOUS', error.message, { cause: error })
}
