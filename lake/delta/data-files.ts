import { crc32 } from 'node:zlib'
import { describeError, TidemarkError } from '../../schemas/errors.ts'
import type { Clock, Random } from '../../schemas/ports/clock.ts'
import { serialQueue } from '../../schemas/serial-queue.ts'
import { checkRuns } from '../parquet/runs.ts'
import type { ObjectStore } from '../store/port.ts'
import type { DataFile, FileAbout } from './port.ts'

/** Files remembered as verified; a forgotten one is read once more. */
const VERIFIED_MAX = 100_000
/** Names tried: a second try is needed only where randomness repeats. */
const NAMES_MAX = 10
/** Folder of the rows whose partition value is null, as Hive and all Delta writers name it. */
const NULL_FOLDER = '__HIVE_DEFAULT_PARTITION__'

/** The data files of one table: written once under a name of their own, never changed, verified before use. */
export class DataFiles {
  readonly #name: string
  readonly #deps: { readonly store: ObjectStore; readonly clock: Clock; readonly random: Random }
  readonly #verified = new Set<string>()
  readonly #verifying = serialQueue()

  constructor(name: string, deps: { store: ObjectStore; clock: Clock; random: Random }) {
    this.#name = name
    this.#deps = deps
  }

  async write(bytes: Uint8Array, about: FileAbout): Promise<DataFile> {
    const { store, random, clock } = this.#deps
    const folder = Object.entries(about.partition)
      .map(([column, value]) => `${column}=${value === null ? NULL_FOLDER : encodeURIComponent(value)}/`)
      .join('')
    // Before the store knows it, so that nobody takes it for older than it says.
    const modifiedMs = clock.nowMs()
    for (let names = 1; names <= NAMES_MAX; names++) {
      const path = `${folder}${random.hex(16)}.parquet`
      if (!(await store.putIfAbsent(`${this.#name}/${path}`, bytes))) continue
      return {
        path,
        size: bytes.length,
        modifiedMs,
        partition: about.partition,
        rows: about.rows,
        min: about.min,
        max: about.max,
        nulls: about.nulls ?? {},
        tags: { ...about.tags, crc32: crcOf(bytes) },
      }
    }
    throw new TidemarkError('E_STORE', `no new name for a file of ${this.#name} after ${NAMES_MAX} tries`)
  }

  async read(file: DataFile): Promise<Uint8Array> {
    return this.#checked(file, await this.#deps.store.get(this.#key(file)))
  }

  #key(file: DataFile): string {
    return `${this.#name}/${file.path}`
  }

  #checked(file: DataFile, bytes: Uint8Array | null): Uint8Array {
    const key = this.#key(file)
    if (bytes === null) throw new TidemarkError('E_FILE_DAMAGED', `${key} is missing`)
    const { crc32: expected } = file.tags
    if (expected === undefined) checkForeign(key, file, bytes)
    else if (crcOf(bytes) !== expected) {
      throw new TidemarkError('E_FILE_DAMAGED', `${key} is damaged: its checksum is wrong`)
    }
    return bytes
  }

  /** One file at a time, however many callers: each is in memory while it is checked. */
  verify(file: DataFile): Promise<void> {
    return this.#verifying(async () => {
      this.#verified.delete(file.path)
      await this.read(file)
      if (this.#verified.size >= VERIFIED_MAX) this.#verified.clear()
      this.#verified.add(file.path)
    })
  }

  async localPath(file: DataFile): Promise<string> {
    const { store } = this.#deps
    if (store.localCopy) return store.localCopy(this.#key(file), (bytes) => this.#checked(file, bytes))
    if (!this.#verified.has(file.path)) await this.verify(file)
    if (!store.path) throw new TidemarkError('E_STORE', `${this.#name}: this store has no local files`)
    return store.path(this.#key(file))
  }

  url(file: DataFile): string {
    const { store } = this.#deps
    if (!store.url) throw new TidemarkError('E_STORE', `${this.#name}: no other program can read this store`)
    return store.url(this.#key(file))
  }
}

/** Another writer's file has no checksum: its length and what it says of itself must do. */
function checkForeign(key: string, { size }: DataFile, bytes: Uint8Array): void {
  try {
    if (bytes.length !== size) throw new Error(`it has ${bytes.length} bytes, and should have ${size}`)
    checkRuns(bytes)
  } catch (error) {
    throw new TidemarkError('E_FILE_DAMAGED', `${key} is damaged: ${describeError(error)}`, { cause: error })
  }
}

/** CRC-32 (ISO 3309, as in zlib) as 8 hexadecimal digits; `before` is that of the bytes in front. */
export function crcOf(bytes: Uint8Array, before = 0): string {
  return crc32(bytes, before).toString(16).padStart(8, '0')
}
