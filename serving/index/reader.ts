import type Database from 'better-sqlite3'
import type { CellRange } from '../../schemas/cells.ts'
import { TidemarkError } from '../../schemas/errors.ts'
import type { View } from '../../schemas/view.ts'
import type { Chunk } from './chunk.ts'
import { type ChunkPlace, decodeChunk } from './chunk-codec.ts'
import type { LevelRange } from './levels.ts'

/** Bytes of chunks kept, estimated; the least lately used go first. */
const CACHE_BYTES_MAX = 64 << 20
const COLUMNS = ['minutes', 'hours', 'day'] as const

type Row = { plain: Uint8Array | null; sketches: Uint8Array | null }

/** Statements that read chunks of one key, by level, and the days of all. */
interface Statements {
  readonly ofKey: readonly Database.Statement<[number, string], Row>[]
  readonly days: Database.Statement<[number], Row>
}

function prepared(db: Database.Database, sketches: boolean): Statements {
  const piece = (name: string) => (sketches ? name : 'NULL')
  return {
    ofKey: COLUMNS.map((column) =>
      db.prepare(
        `SELECT ${column} AS plain, ${piece(`${column}_sketches`)} AS sketches FROM chunk WHERE file = ? AND key = ?`,
      ),
    ),
    days: db.prepare(`SELECT plain, ${piece('sketches')} AS sketches FROM days WHERE file = ?`),
  }
}

const hasSketches = (view: View) => view.measures.includes('quantiles')

/** Reads chunks, each verified when it is read. */
export class ChunkReader {
  readonly #db: Database.Database
  readonly #whole: Statements
  readonly #plain: Statements
  readonly #whether: Database.Statement<[number, number, string], { file: 0 | 1; known: 0 | 1 }>
  readonly #cache = new Map<string, Chunk>()
  #cachedBytes = 0

  constructor(db: Database.Database) {
    this.#db = db
    this.#whole = prepared(db, true)
    this.#plain = prepared(db, false)
    this.#whether = db.prepare(
      `SELECT EXISTS (SELECT 1 FROM file WHERE id = ?) AS file,
        EXISTS (SELECT 1 FROM known WHERE file = ? AND key = ?) AS known`,
    )
  }

  /**
   * The rows of `key` in a file whose buckets, of the range's level, start in the range, in the columns of `as`, the view or a narrower
   * one; null where it has none at that level. Throws `E_INDEX_DAMAGED`.
   */
  read(
    view: View,
    file: number,
    key: string,
    { level, fromMs, toMs }: LevelRange,
    as = view,
  ): CellRange | null {
    const chunk = this.#cached(`${level}/${file}/${key}`, view, as, ({ ofKey }, sketches) => {
      const row = ofKey[level]!.get(file, key)
      if (row === undefined && !this.#mustHave(file, key)) return null
      return decoded(view, { file, key, level }, row, `${COLUMNS[level]} of ${key}`, sketches)
    })
    return chunk?.rows(fromMs, toMs, as) ?? null
  }

  /** The days of all keys of a file, of which rows in the columns of `as` can be asked for. Throws `E_INDEX_DAMAGED`. */
  days(view: View, file: number, as = view): Chunk {
    return this.#cached(`days/${file}`, view, as, ({ days }, sketches) =>
      decoded(view, { file, key: null, level: 2 }, days.get(file), `days of file ${file}`, sketches),
    )!
  }

  /** A chunk that is kept, or is read for `as`: without its sketches where that has none. */
  #cached(
    name: string,
    view: View,
    as: View,
    read: (from: Statements, sketches: boolean) => Chunk | null,
  ): Chunk | null {
    if (hasSketches(as) || !hasSketches(view)) return this.#kept(name, () => read(this.#whole, true))
    // What is kept whole will do.
    if (this.#cache.has(name)) return this.#kept(name, () => null)
    return this.#kept(`plain/${name}`, () => read(this.#plain, false))
  }

  #kept(name: string, read: () => Chunk | null): Chunk | null {
    let chunk = this.#cache.get(name) ?? null
    // What was used last is behind all else.
    if (chunk !== null) this.#cache.delete(name)
    else {
      chunk = read()
      if (chunk === null) return null
      this.#makeRoom(chunk.bytes)
    }
    this.#cache.set(name, chunk)
    return chunk
  }

  /** Whether a chunk that is not found should be there: its file is gone, or is known to have the key. */
  #mustHave(file: number, key: string): boolean {
    const found = this.#whether.get(file, file, key)!
    return found.file === 0 || found.known === 1
  }

  #makeRoom(bytes: number): void {
    this.#cachedBytes += bytes
    for (const [oldest, chunk] of this.#cache) {
      if (this.#cachedBytes <= CACHE_BYTES_MAX) break
      this.#cache.delete(oldest)
      this.#cachedBytes -= chunk.bytes
    }
  }

  close(): void {
    this.#cache.clear()
    this.#db.close()
  }
}

function decoded(
  view: View,
  place: ChunkPlace,
  row: Row | undefined,
  what: string,
  withSketches: boolean,
): Chunk {
  if (!row?.plain) throw new TidemarkError('E_INDEX_DAMAGED', `the serving index lacks ${what}`)
  return decodeChunk(view, place, { plain: row.plain, sketches: row.sketches }, withSketches)
}
