import { hash } from 'node:crypto'
import type Database from 'better-sqlite3'
import { bytesOf, type CellRange, type Cells, keyAt } from '../../schemas/cells.ts'
import { TidemarkError } from '../../schemas/errors.ts'
import { placesIn } from '../../schemas/narrowed.ts'
import { compareUtf8, placeAtMost, placeOf } from '../../schemas/utf8.ts'
import type { View } from '../../schemas/view.ts'
import type { Chunk, SketchesOf } from './chunk.ts'
import { type ChunkPlace, decodeChunk, decodeSketches, PLAIN } from './chunk-codec.ts'
import { blockChecksum } from './filling.ts'
import { DAYS_OF_ALL, KEYS_A_BLOCK, type LevelRange, SLICE_MS, SLICES } from './levels.ts'
import type { Sketched } from './sketched.ts'
import type { IndexedDate } from './view-index.ts'
import { writtenColumns } from './written-columns.ts'

/** Bytes of what was read that are kept, estimated; the least lately used go first. */
const CACHE_BYTES_MAX = 64 << 20
/** What a sum takes beside its columns, with the name that it is kept under. */
const SUM_BYTES = 256

/** The blocks of a file, in order. */
interface Blocks {
  /** The first key of each. */
  readonly firsts: readonly string[]
  /** The parts of the date that each has minutes in, a bit for each. */
  readonly slices: readonly number[]
  /** What they take in memory, about. */
  readonly bytes: number
}

/** What was added up of a key: a row or none, among others. */
interface Sum extends CellRange {
  /** What it takes in memory, about. */
  readonly bytes: number
}

/** The days of all keys of a date. */
export interface DaysOfAll {
  /** By their UTF-8 bytes. */
  readonly keys: readonly string[]
  /** Those of the keys at `[from, to)`, in the columns that were asked for. */
  rowsAt(from: number, to: number): CellRange
}

type IndexedFile = Pick<IndexedDate, 'id' | 'keys' | 'startMs'>

/** Reads chunks, each verified when it is read. */
export class ChunkReader {
  readonly #db: Database.Database
  readonly #bytesMax: number
  readonly #piece: Database.Statement<[number, number, number, string, number], { body: Uint8Array }>
  readonly #pieces: Database.Statement<[number, number, number, string], { piece: number; body: Uint8Array }>
  readonly #blocks: Database.Statement<[number], { first: string; slices: number; crc: number }>
  readonly #whether: Database.Statement<[number, number, string], { file: 0 | 1; known: 0 | 1 }>
  readonly #cache = new Map<string, Chunk | Sketched | Blocks | Sum>()
  #cachedBytes = 0

  constructor(db: Database.Database, bytesMax = CACHE_BYTES_MAX) {
    this.#db = db
    this.#bytesMax = bytesMax
    const where = 'FROM chunk WHERE file = ? AND level = ? AND slice = ? AND first = ?'
    this.#piece = db.prepare(`SELECT body ${where} AND piece = ?`)
    this.#pieces = db.prepare(`SELECT piece, body ${where}`)
    this.#blocks = db.prepare('SELECT first, slices, crc FROM block WHERE file = ? ORDER BY first')
    this.#whether = db.prepare(
      `SELECT EXISTS (SELECT 1 FROM file WHERE id = ?) AS file,
        EXISTS (SELECT 1 FROM known WHERE file = ? AND key = ?) AS known`,
    )
  }

  /**
   * The rows of `key` in a file whose buckets, of the range's level, start in the range, in the columns of `as`, the view or a narrower
   * one, in the order of time. Throws `E_INDEX_DAMAGED`.
   */
  read(view: View, file: IndexedFile, key: string, range: LevelRange, as = view): CellRange[] {
    if (range.level === 2) return this.#readDay(view, file, key, range, as)
    const blocks = this.#blocksOf(file)
    const block = placeAtMost(blocks.firsts, key)
    if (block < 0) return []
    return this.#placesOf(file, blocks, block, range).flatMap((place) => {
      const rows = this.#chunk(view, place, as).rowsOf(key, range, as, this.#sketches(view, place))
      return rows === null || rows.from === rows.to ? [] : [rows]
    })
  }

  /** The same of all of `keys`, which are in the order of their UTF-8 bytes. */
  *readAll(
    view: View,
    file: IndexedFile,
    keys: readonly string[],
    range: LevelRange,
    as = view,
  ): Generator<CellRange> {
    const blocks = this.#blocksOf(file)
    for (let from = 0; from < keys.length; ) {
      const block = placeAtMost(blocks.firsts, keys[from]!)
      const next = blocks.firsts[block + 1]
      let to = from + 1
      while (to < keys.length && (next === undefined || compareUtf8(keys[to]!, next) < 0)) to++
      if (block >= 0)
        for (const place of this.#placesOf(file, blocks, block, range)) {
          const chunk = this.#chunk(view, place, as)
          for (const [first, end] of runsOf(chunk.keys, keys, from, to))
            yield* chunk.rowsOfKeys(first, end, range, as, this.#sketches(view, place))
        }
      from = to
    }
  }

  /** The days of all keys of a file, in the columns of `as`. Throws `E_INDEX_DAMAGED`. */
  days(view: View, file: IndexedFile, as = view): DaysOfAll {
    const place = { file: file.id, level: DAYS_OF_ALL, slice: 0, first: '' }
    const chunk = this.#chunk(view, place, as)
    const sketches = this.#sketches(view, place)
    return { keys: chunk.keys, rowsAt: (from, to) => chunk.rowsAt(from, to, as, sketches) }
  }

  /**
   * What `make` adds up of keys in a range of some files, in the columns of `as`, of each of `keys` one row or none. It is kept key by
   * key, as chunks are: what a file has never changes.
   */
  sums(
    view: View,
    files: readonly Pick<IndexedFile, 'id'>[],
    keys: readonly string[],
    { level, fromMs, toMs }: LevelRange,
    as: View,
    make: (keys: readonly string[]) => Cells,
  ): CellRange[] {
    const about = [files.map(({ id }) => id), level, fromMs, toMs, placesIn(view, as)]
    // Thousands of keys are kept under it.
    const name = `sum/${hash('sha256', JSON.stringify(about), 'base64url')}/`
    let made = new Map<string, Sum>()
    return keys.map((key) => {
      return this.#kept(`${name}${key}`, () => {
        if (!made.has(key)) {
          const missing = keys.filter((one) => !this.#cache.has(`${name}${one}`))
          made = sumsOf(make(missing), missing)
        }
        return made.get(key)!
      })!
    })
  }

  #readDay(view: View, { id }: IndexedFile, key: string, range: LevelRange, as: View): CellRange[] {
    const place = { file: id, level: range.level, slice: 0, first: key }
    const chunk = this.#chunkIn(view, place, as)
    if (chunk === null) {
      if (this.#mustHave(id, key)) throw lacks(place)
      return []
    }
    return [chunk.rowsOf(key, range, as, this.#sketches(view, place))!]
  }

  /** Where the minutes or hours of a block that start in a range lie, in the order of time. */
  #placesOf(
    { id, startMs }: IndexedFile,
    { firsts, slices }: Blocks,
    block: number,
    { level, fromMs, toMs }: LevelRange,
  ): ChunkPlace[] {
    const first = firsts[block]!
    if (level > 0) return [{ file: id, level, slice: 0, first }]
    const places: ChunkPlace[] = []
    const begin = Math.max(0, Math.floor((fromMs - startMs) / SLICE_MS))
    const end = Math.min(SLICES, Math.ceil((toMs - startMs) / SLICE_MS))
    for (let slice = begin; slice < end; slice++)
      if (slices[block]! & (1 << slice)) places.push({ file: id, level, slice, first })
    return places
  }

  /** The blocks of a file, whose number is known: none can be missing unseen. */
  #blocksOf({ id, keys }: IndexedFile): Blocks {
    return this.#kept(`blocks/${id}`, () => {
      const rows = this.#blocks.all(id)
      if (
        rows.length !== Math.ceil(keys / KEYS_A_BLOCK) ||
        rows.some(({ crc, ...row }) => crc !== blockChecksum({ file: id, ...row }))
      )
        throw new TidemarkError('E_INDEX_DAMAGED', `the serving index lacks blocks of file ${id}`)
      const firsts = rows.map(({ first }) => first)
      const bytes = firsts.reduce((sum, first) => sum + 2 * first.length + 64, 512)
      return { firsts, slices: rows.map(({ slices }) => slices), bytes }
    })!
  }

  #chunk(view: View, place: ChunkPlace, as: View): Chunk {
    const chunk = this.#chunkIn(view, place, as)
    if (chunk === null) throw lacks(place)
    return chunk
  }

  /** A chunk, and beside it the sketches of `as`, which are asked for next; null where it is not there. */
  #chunkIn(view: View, place: ChunkPlace, as: View): Chunk | null {
    const name = nameOf(place)
    return this.#kept(`${name}${PLAIN}`, () => {
      const { file, level, slice, first } = place
      const { sketches } = writtenColumns(view)
      if (sketches.length === 0 || !placesIn(view, as).some((c) => sketches.includes(c))) {
        const row = this.#piece.get(file, level, slice, first, PLAIN)
        return row === undefined ? null : decodeChunk(view, place, row.body)
      }
      let chunk: Chunk | null = null
      const wanted = placesIn(view, as)
      for (const { piece, body } of this.#pieces.all(file, level, slice, first))
        if (piece === PLAIN) chunk = decodeChunk(view, place, body)
        else if (wanted.includes(piece))
          this.#kept(`${name}${piece}`, () => decodeSketches(view, place, piece, body))
      return chunk
    })
  }

  #sketches(view: View, place: ChunkPlace): SketchesOf {
    const name = nameOf(place)
    return (piece) =>
      this.#kept(`${name}${piece}`, () => {
        const { file, level, slice, first } = place
        const row = this.#piece.get(file, level, slice, first, piece)
        if (row === undefined) throw lacks(place)
        return decodeSketches(view, place, piece, row.body)
      })!
  }

  #kept<T extends Chunk | Sketched | Blocks | Sum>(name: string, read: () => T | null): T | null {
    let kept = (this.#cache.get(name) as T | undefined) ?? null
    // What was used last is behind all else.
    if (kept !== null) this.#cache.delete(name)
    else {
      kept = read()
      if (kept === null) return null
      this.#makeRoom(kept.bytes)
    }
    this.#cache.set(name, kept)
    return kept
  }

  /** Whether a chunk of a key that is not found should be there: its file is gone, or is known to have the key. */
  #mustHave(file: number, key: string): boolean {
    const found = this.#whether.get(file, file, key)!
    return found.file === 0 || found.known === 1
  }

  #makeRoom(bytes: number): void {
    this.#cachedBytes += bytes
    for (const [oldest, one] of this.#cache) {
      if (this.#cachedBytes <= this.#bytesMax) break
      this.#cache.delete(oldest)
      this.#cachedBytes -= one.bytes
    }
  }

  close(): void {
    this.#cache.clear()
    this.#db.close()
  }
}

/** The rows of sums by key: one of each of `keys`, or none. */
function sumsOf(cells: Cells, keys: readonly string[]): Map<string, Sum> {
  const bytes = SUM_BYTES + bytesOf(cells) / keys.length
  const sums = new Map(keys.map((key): [string, Sum] => [key, { cells, from: 0, to: 0, bytes }]))
  for (let i = 0; i < cells.length; i++) sums.set(keyAt(cells, i), { cells, from: i, to: i + 1, bytes })
  return sums
}

const nameOf = ({ file, level, slice, first }: ChunkPlace) => `${level}/${slice}/${file}/${first}/`

function lacks({ file, level, slice, first }: ChunkPlace): TidemarkError {
  const what = `level ${level}, part ${slice}, of ${first || 'all keys'} in file ${file}`
  return new TidemarkError('E_INDEX_DAMAGED', `the serving index lacks ${what}`)
}

/** Where those of `keys` from `from` to `to` stand among `own`: runs of places that follow each other. Both are in order. */
function runsOf(own: readonly string[], keys: readonly string[], from: number, to: number) {
  const runs: [first: number, end: number][] = []
  for (let i = from; i < to; i++) {
    const last = runs.at(-1)
    if (last !== undefined && own[last[1]] === keys[i]) {
      last[1]++
      continue
    }
    const k = placeOf(own, keys[i]!)
    if (k >= 0) runs.push([k, k + 1])
  }
  return runs
}
