import { crc32 } from 'node:zlib'
import type Database from 'better-sqlite3'
import type { NumberColumn } from '../../schemas/cell-column.ts'
import { CellFold } from '../../schemas/cell-fold.ts'
import { joinSummaries, type KeySummary } from '../../schemas/cell-rows.ts'
import { type CellRange, type Cells, endOfKey, keyAt, timesOf } from '../../schemas/cells.ts'
import { TidemarkError } from '../../schemas/errors.ts'
import { firstAtLeast } from '../../schemas/sorted.ts'
import type { View } from '../../schemas/view.ts'
import { layoutOf } from '../../schemas/view-columns.ts'
import { type ChunkPlace, encodeChunk } from './chunk-codec.ts'
import { openToWrite } from './database.ts'
import { BUCKET_MS, DAYS_OF_ALL, KEYS_A_BLOCK, SLICE_MS, SLICES } from './levels.ts'

/** A data file of a view as the index has it. */
export interface FilledFile {
  readonly id: number
  readonly date: string
  /** Whether its minutes are here too, or only hours and days. */
  readonly minutes: boolean
  /** How many keys it has. */
  readonly keys: number
}

/** Its row, which a checksum covers. */
interface FileRow extends FilledFile {
  readonly view: string
  readonly path: string
}

/** What a view's files are in the index. */
export interface Kept {
  readonly files: ReadonlyMap<string, FilledFile>
  /** Every key of them. */
  readonly keys: readonly KeySummary[]
}

/** Blocks of keys that are added between two turns of others. */
const BLOCKS_AT_ONCE = 4
/** Files whose chunks are removed in one transaction. */
const DROPPED_AT_A_TIME = 16

/** Fills the index: its holder is the only writer. */
export class Filling {
  readonly db: Database.Database

  constructor(path: string) {
    this.db = openToWrite(path)
  }

  /** The files of `view` that are filled, by path. Throws `E_INDEX_DAMAGED`. */
  files(view: string): Map<string, FileRow> {
    const rows = this.db
      .prepare<[string], Omit<FileRow, 'minutes'> & { minutes: number; crc: number }>(
        'SELECT id, view, path, date, minutes, keys, crc FROM file WHERE view = ?',
      )
      .all(view)
    return new Map(
      rows.map(({ crc, ...row }) => {
        const file = { ...row, minutes: row.minutes === 1 }
        if (crc !== checksumOf(file)) throw damaged(`file ${file.path}`)
        return [file.path, file]
      }),
    )
  }

  /** Adds the cells of a date's file, in one transaction; what was there of the same path goes. */
  fill(file: { path: string; date: string; minutes: boolean }, cells: Cells): void {
    for (const _ of this.fillInSteps(file, cells));
  }

  /** `fill` in steps of a few milliseconds. Until the last nothing else may be asked of this, and others see nothing of it. */
  *fillInSteps(file: { path: string; date: string; minutes: boolean }, cells: Cells): Generator<void> {
    const { db } = this
    const view = cells.view.name
    db.exec('BEGIN')
    try {
      const before = this.files(view).get(file.path)
      if (before !== undefined) this.#drop(before.id)
      const { lastInsertRowid } = db
        .prepare('INSERT INTO file (view, path, date, minutes) VALUES (?, ?, ?, ?)')
        .run(view, file.path, file.date, file.minutes ? 1 : 0)
      const id = Number(lastInsertRowid)
      const blocks = blocksOf(cells)
      const days: CellRange[] = []
      const names: string[] = []
      for (const [b, block] of blocks.entries()) {
        days.push(...this.#fillBlock(id, file, cells, block))
        names.push(...block.map(({ key }) => key))
        if (b % BLOCKS_AT_ONCE === BLOCKS_AT_ONCE - 1) yield
      }
      this.#put(cells.view, names, days, { file: id, level: DAYS_OF_ALL, slice: 0, first: '' })
      const keys = names.length
      const crc = checksumOf({ ...file, id, view, keys })
      db.prepare('UPDATE file SET keys = ?, crc = ? WHERE id = ?').run(keys, crc, id)
      db.exec('COMMIT')
    } finally {
      if (db.inTransaction) db.exec('ROLLBACK')
    }
  }

  /** Adds the cells of keys that follow each other at every level; returns their days. */
  #fillBlock(
    id: number,
    { date, minutes }: Pick<FileRow, 'date' | 'minutes'>,
    cells: Cells,
    block: readonly KeyRows[],
  ): CellRange[] {
    const { view } = cells
    const keys = block.map(({ key }) => key)
    const first = keys[0]!
    let slices = 0
    for (let slice = 0; minutes && slice < SLICES; slice++) {
      const fromMs = Date.parse(date) + slice * SLICE_MS
      const rows = block.map((own) => rowsFrom(cells, own, fromMs, fromMs + SLICE_MS))
      if (rows.every(({ from, to }) => from === to)) continue
      slices |= 1 << slice
      this.#put(view, keys, rows, { file: id, level: 0, slice, first })
    }
    const hours = coarser(cells, block[0]!.from, block.at(-1)!.to, BUCKET_MS[1]!)
    this.#put(view, keys, rangesOf(hours), { file: id, level: 1, slice: 0, first })
    const days = rangesOf(coarser(hours, 0, hours.length, BUCKET_MS[2]!))
    for (const [k, { key, from, to }] of block.entries()) {
      this.#put(view, [key], [days[k]!], { file: id, level: 2, slice: 0, first: key })
      const { firstMs, lastMs, messages } = summaryOf(cells, from, to)
      this.#statement(
        'INSERT INTO known (file, key, first, last, messages, crc) VALUES (?, ?, ?, ?, ?, ?)',
      ).run(id, key, firstMs, lastMs, messages, checksum(id, key, firstMs, lastMs, messages))
    }
    this.#statement('INSERT INTO block (file, first, slices, crc) VALUES (?, ?, ?, ?)').run(
      id,
      first,
      slices,
      blockChecksum({ file: id, first, slices }),
    )
    return days
  }

  #put(view: View, keys: readonly string[], rows: readonly CellRange[], place: ChunkPlace): void {
    const { file, level, slice, first } = place
    const insert = this.#statement(
      'INSERT INTO chunk (file, level, slice, first, piece, body) VALUES (?, ?, ?, ?, ?, ?)',
    )
    for (const { piece, bytes } of encodeChunk(view, keys, rows, place))
      insert.run(file, level, slice, first, piece, bytes)
  }

  /** The files of `view` of the paths given, which were filled, and their keys. Throws `E_INDEX_DAMAGED`. */
  kept(view: string, paths: readonly string[]): Kept {
    const all = this.files(view)
    const files = new Map(
      paths.map((path) => {
        const file = all.get(path)
        if (file === undefined) throw damaged(`file ${path}`)
        return [path, file]
      }),
    )
    return { files, keys: keysOf(this.db, files.values()) }
  }

  /** Removes the files of `view` that are none of `paths`, and gives the write-ahead log back. */
  dropOthers(view: string, paths: readonly string[]): void {
    const kept = new Set(paths)
    const gone = [...this.files(view)].flatMap(([path, { id }]) => (kept.has(path) ? [] : [id]))
    for (let from = 0; from < gone.length; from += DROPPED_AT_A_TIME)
      this.db.transaction(() => {
        for (const id of gone.slice(from, from + DROPPED_AT_A_TIME)) this.#drop(id)
      })()
    this.db.pragma('wal_checkpoint(TRUNCATE)')
  }

  /** Removes the views that are none of `views`. */
  dropViews(views: readonly string[]): void {
    const known = this.db.prepare<[], { view: string }>('SELECT DISTINCT view FROM file').all()
    for (const { view } of known) if (!views.includes(view)) this.dropOthers(view, [])
  }

  #drop(id: number): void {
    this.#statement('DELETE FROM chunk WHERE file = ?').run(id)
    this.#statement('DELETE FROM block WHERE file = ?').run(id)
    this.#statement('DELETE FROM known WHERE file = ?').run(id)
    this.#statement('DELETE FROM file WHERE id = ?').run(id)
  }

  readonly #statements = new Map<string, Database.Statement>()

  /** A prepared statement; preparing costs more than most of them. */
  #statement(sql: string): Database.Statement {
    let statement = this.#statements.get(sql)
    if (statement === undefined) {
      statement = this.db.prepare(sql)
      this.#statements.set(sql, statement)
    }
    return statement
  }

  close(): void {
    this.db.close()
  }
}

/** Rows of one key. */
interface KeyRows {
  readonly key: string
  readonly from: number
  readonly to: number
}

/** The keys of `cells` and their rows, in blocks of those that lie side by side. */
function blocksOf(cells: Cells): KeyRows[][] {
  const blocks: KeyRows[][] = []
  for (const { from, to } of rangesOf(cells)) {
    const block = blocks.at(-1)
    const own = { key: keyAt(cells, from), from, to }
    if (block === undefined || block.length === KEYS_A_BLOCK) blocks.push([own])
    else block.push(own)
  }
  return blocks
}

/** Those of the rows of a key whose bucket starts in `[fromMs, toMs)`. */
function rowsFrom(cells: Cells, { from, to }: KeyRows, fromMs: number, toMs: number): CellRange {
  const times = timesOf(cells).subarray(from, to)
  return { cells, from: from + firstAtLeast(times, fromMs), to: from + firstAtLeast(times, toMs) }
}

/** The rows of each key. */
function rangesOf(cells: Cells): CellRange[] {
  const ranges: CellRange[] = []
  for (let from = 0, to = 0; from < cells.length; from = to) {
    to = endOfKey(cells, from)
    ranges.push({ cells, from, to })
  }
  return ranges
}

interface Known {
  readonly key: string
  readonly first: number
  readonly last: number
  readonly messages: number
  readonly crc: number
}

function checksumOf({ id, view, path, date, minutes, keys }: FileRow): number {
  return crc32(JSON.stringify([id, view, path, date, minutes, keys]))
}

/** Of a row of `block`. */
export function blockChecksum({
  file,
  first,
  slices,
}: {
  file: number
  first: string
  slices: number
}): number {
  return crc32(JSON.stringify([file, first, slices]))
}

function damaged(what: string): TidemarkError {
  return new TidemarkError('E_INDEX_DAMAGED', `what the serving index knows of ${what} is damaged`)
}

function checksum(file: number, key: string, first: number, last: number, messages: number): number {
  return crc32(JSON.stringify([file, key, first, last, messages]))
}

/** Every key of the files, with what is known of it. Throws `E_INDEX_DAMAGED`. */
function keysOf(db: Database.Database, files: Iterable<FileRow>): KeySummary[] {
  const keys = new Map<string, KeySummary>()
  const statement = db.prepare<[number], Known>(
    'SELECT key, first, last, messages, crc FROM known WHERE file = ?',
  )
  for (const { id, path, keys: count } of files) {
    const rows = statement.all(id)
    if (rows.length !== count) throw damaged(`the keys of file ${path}`)
    for (const { key, first, last, messages, crc } of rows) {
      if (crc !== checksum(id, key, first, last, messages)) throw damaged(key)
      keys.set(key, joinSummaries(keys.get(key), { key, firstMs: first, lastMs: last, messages }))
    }
  }
  return [...keys.values()]
}

function coarser(cells: Cells, from: number, to: number, bucketMs: number): Cells {
  const fold = new CellFold(cells.view)
  fold.merge(cells, { from, to, bucketMs: Math.max(bucketMs, cells.view.bucketMs) })
  return fold.cells()
}

/** Of rows of one key. */
function summaryOf(cells: Cells, from: number, to: number): Omit<KeySummary, 'key'> {
  const times = timesOf(cells)
  const counts = (cells.columns[layoutOf(cells.view).messages] as NumberColumn).values
  let messages = 0
  for (let i = from; i < to; i++) messages += counts[i]!
  return { firstMs: times[from]!, lastMs: times[to - 1]!, messages }
}
