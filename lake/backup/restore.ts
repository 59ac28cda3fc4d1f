import { TidemarkError } from '../../schemas/errors.ts'
import type { ObjectStore } from '../store/port.ts'
import { listManifests, type Manifest, readManifest, timeOf } from './manifest.ts'
import { readContent } from './objects.ts'

/** Where the files of a backup go: the data directory without the lake, and the lake. */
export interface RestoreTarget {
  readonly data: ObjectStore
  readonly lake: ObjectStore
}

/** The newest backup at or before `atMs`; of all where that is null. Throws `E_BACKUP` where there is none. */
export async function findBackup(store: ObjectStore, atMs: number | null): Promise<Manifest> {
  const keys = await listManifests(store)
  const key = keys.findLast((one) => atMs === null || Date.parse(timeOf(one)) <= atMs)
  if (key !== undefined) return readManifest(store, key)
  const oldest = keys[0] === undefined ? 'there is none at all' : `the oldest is of ${timeOf(keys[0])}`
  throw new TidemarkError('E_BACKUP', `there is no such backup: ${oldest}`)
}

/**
 * Whether a lake may be restored into: it is empty, or holds nothing but what a restoring of the same backup left that was killed. Whatever
 * else is there belongs to somebody.
 */
export async function mayRestoreInto(lake: ObjectStore, { files }: Manifest): Promise<boolean> {
  const sizes = new Map(files.map(({ path, size }) => [path, size]))
  return (await lake.list('')).every(({ key, size }) => sizes.get(`lake/${key}`) === size)
}

/** Writes every file of a backup, checked against its checksum. Throws `E_BACKUP` naming what is missing or damaged. */
export async function restore(
  store: ObjectStore,
  { files }: Manifest,
  { data, lake }: RestoreTarget,
  { signal, tell }: { signal: AbortSignal; tell(files: number): void },
): Promise<void> {
  let done = 0
  for (const file of files) {
    signal.throwIfAborted()
    const bytes = await readContent(store, file)
    const inLake = /^lake\/(.+)$/.exec(file.path)?.[1]
    if (inLake === undefined) await data.put(file.path, bytes)
    else await lake.put(inLake, bytes)
    tell(++done)
  }
}
