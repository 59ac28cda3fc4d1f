import { createHash } from 'node:crypto'
import { TidemarkError } from '../../schemas/errors.ts'
import type { ObjectStore } from '../store/port.ts'
import { type BackupFile, type Manifest, objectKey } from './manifest.ts'

function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

/** The content of a file of a backup in `store`; throws `E_BACKUP` naming it when it is missing or another. */
export async function readContent(store: ObjectStore, { path, sha256 }: BackupFile): Promise<Uint8Array> {
  const bytes = await store.get(objectKey(sha256))
  if (bytes !== null && sha256Of(bytes) === sha256) return bytes
  const what = bytes === null ? 'is missing' : 'is damaged'
  throw new TidemarkError('E_BACKUP', `the content of ${path}, ${objectKey(sha256)}, ${what}`)
}

/** The contents that backups have in common. */
export class BackupObjects {
  readonly #store: ObjectStore
  readonly #there: Set<string>
  /** Bytes that were not there before. */
  writtenBytes = 0

  private constructor(store: ObjectStore, there: Set<string>) {
    this.#store = store
    this.#there = there
  }

  static async open(store: ObjectStore): Promise<BackupObjects> {
    const there = (await store.list('objects/')).map(({ key }) => key)
    return new BackupObjects(store, new Set(there))
  }

  has(sha256: string): boolean {
    return this.#there.has(objectKey(sha256))
  }

  /** Keeps the content of the file at `path`. */
  async keep(path: string, bytes: Uint8Array): Promise<BackupFile> {
    const sha256 = sha256Of(bytes)
    if (!this.has(sha256)) {
      await this.#store.put(objectKey(sha256), bytes)
      this.#there.add(objectKey(sha256))
      this.writtenBytes += bytes.length
    }
    return { path, size: bytes.length, sha256 }
  }

  /** Throws `E_BACKUP` where a content that a backup names is gone again. */
  async checkThere(files: Iterable<BackupFile>): Promise<void> {
    const there = new Set((await this.#store.list('objects/')).map(({ key }) => key))
    for (const { path, sha256 } of files) {
      const key = objectKey(sha256)
      // A list may not show yet what was put.
      if (!there.has(key) && (await this.#store.get(key)) === null)
        throw new TidemarkError('E_BACKUP', `the content of ${path} was removed again`, {
          hint: 'another backup went to the same place at the same time, with --keep: start this one again alone',
        })
    }
  }

  /** Removes what none of `manifests` names. Returns how many there were. */
  async removeOthers(manifests: readonly Manifest[]): Promise<number> {
    const named = new Set(manifests.flatMap(({ files }) => files.map(({ sha256 }) => objectKey(sha256))))
    const others = [...this.#there].filter((key) => !named.has(key))
    for (const key of others) {
      await this.#store.delete(key)
      this.#there.delete(key)
    }
    return others.length
  }
}
