import type Database from 'better-sqlite3'
import type { Cells } from '../../schemas/cells.ts'
import { TidemarkError } from '../../schemas/errors.ts'
import type { View } from '../../schemas/view.ts'
import { decodeChunk } from './chunk-codec.ts'
import type { Level } from './levels.ts'

/** Bytes of decoded chunks kept, estimated; the least lately used go first. */
const CACHE_BYTES_MAX = 64 << 20
const COLUMNS = ['minutes', 'hours', 'day'] as const

interface Cached {
  readonly cells: Cells
  readonly bytes: number
}

type Row = { plain: Uint8Array | null; sketches: Uint8Array | null }

/** Reads chunks, each verified when it is read. */
export class ChunkReader {
  readonly #db: Database.Database
  readonly #statements: readonly Database.Statement<[number, string], Row>[]
  readonly #cache = new Map<string, Cached>()
  #cachedBytes = 0

  constructor(db: Database.Database) {
    this.#db = db
    this.#statements = COLUMNS.map((column) =>
      db.prepare<[number, string], Row>(
        `SELECT ${column} AS plain, ${column}_sketches AS sketches FROM chunk WHERE file = ? AND key = ?`,
      ),
    )
  }

  /** The rows of `key` in a file at a level; null where it has none there. Throws `E_INDEX_DAMAGED`. */
  read(view: View, file: number, key: string, level: Level): Cells | null {
    const name = `${level}/${file}/${key}`
    const cached = this.#cache.get(name)
    if (cached !== undefined) {
      this.#cache.delete(name)
      this.#cache.set(name, cached)
      return cached.cells
    }
    const row = this.#statements[level]!.get(file, key)
    if (row === undefined) return null
    if (row.plain === null)
      throw new TidemarkError('E_INDEX_DAMAGED', `the serving index lacks ${COLUMNS[level]} of ${key}`)
    const cells = decodeChunk(view, key, { plain: row.plain, sketches: row.sketches })
    this.#keep(name, cells)
    return cells
  }

  #keep(name: string, cells: Cells): void {
    const bytes = sizeOf(cells)
    this.#cache.set(name, { cells, bytes })
    this.#cachedBytes += bytes
    for (const [oldest, held] of this.#cache) {
      if (this.#cachedBytes <= CACHE_BYTES_MAX) break
      this.#cache.delete(oldest)
      this.#cachedBytes -= held.bytes
    }
  }

  close(): void {
    this.#cache.clear()
    this.#db.close()
  }
}

/** What cells take in memory, about. */
function sizeOf({ columns, length }: Cells): number {
  let bytes = 512
  for (const column of columns) {
    if (column.type === 'sketch') bytes += 4 * length + 12 * column.buckets.length
    else bytes += 8 * length
  }
  return bytes
}
