import { crc32 } from 'node:zlib'
import type Database from 'better-sqlite3'
import type { NumberColumn } from '../../schemas/cell-column.ts'
import { CellFold } from '../../schemas/cell-fold.ts'
import { joinSummaries, type KeySummary } from '../../schemas/cell-rows.ts'
import { type Cells, keyAt, timesOf } from '../../schemas/cells.ts'
import { TidemarkError } from '../../schemas/errors.ts'
import { layoutOf } from '../../schemas/view-columns.ts'
import { encodeChunk } from './chunk-codec.ts'
import { openToWrite } from './database.ts'
import { BUCKET_MS } from './levels.ts'

/** A data file of a view as the index has it. */
export interface FilledFile {
  readonly id: number
  readonly date: string
  /** Whether its minutes are here too, or only hours and days. */
  readonly minutes: boolean
}

/** What a view's files are in the index. */
export interface Kept {
  readonly files: ReadonlyMap<string, FilledFile>
  /** Every key of them. */
  readonly keys: readonly KeySummary[]
}

/** Files whose chunks are removed in one transaction. */
const DROPPED_AT_A_TIME = 16

/** Fills the index: whoever holds it is the only one who writes. */
export class Filling {
  readonly db: Database.Database

  constructor(path: string) {
    this.db = openToWrite(path)
  }

  /** The files of `view` that are filled, by path. */
  files(view: string): Map<string, FilledFile> {
    const rows = this.db
      .prepare<[string], { id: number; path: string; date: string; minutes: number }>(
        'SELECT id, path, date, minutes FROM file WHERE view = ?',
      )
      .all(view)
    return new Map(rows.map(({ id, path, date, minutes }) => [path, { id, date, minutes: minutes === 1 }]))
  }

  /** Adds the cells of a date's file, in one transaction; what was there of the same path goes. */
  fill(file: { path: string; date: string; minutes: boolean }, cells: Cells): void {
    const { db } = this
    const view = cells.view.name
    db.transaction(() => {
      const before = this.files(view).get(file.path)
      if (before !== undefined) this.#drop(before.id)
      const { lastInsertRowid } = db
        .prepare('INSERT INTO file (view, path, date, minutes) VALUES (?, ?, ?, ?)')
        .run(view, file.path, file.date, file.minutes ? 1 : 0)
      const id = Number(lastInsertRowid)
      for (let from = 0, to = 0; from < cells.length; from = to) {
        const key = keyAt(cells, from)
        while (to < cells.length && keyAt(cells, to) === key) to++
        this.#fillKey(id, key, cells, from, to, file.minutes)
      }
    })()
  }

  #fillKey(file: number, key: string, cells: Cells, from: number, to: number, withMinutes: boolean): void {
    const minutes = withMinutes ? encodeChunk(cells, from, to) : { plain: null, sketches: null }
    const hours = coarser(cells, from, to, BUCKET_MS[1]!)
    const day = coarser(hours, 0, hours.length, BUCKET_MS[2]!)
    const [h, d] = [encodeChunk(hours, 0, hours.length), encodeChunk(day, 0, day.length)]
    this.#statement(
      'INSERT INTO chunk (file, key, day, day_sketches, hours, hours_sketches, minutes, minutes_sketches) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
    ).run(file, key, d.plain, d.sketches, h.plain, h.sketches, minutes.plain, minutes.sketches)
    const { firstMs, lastMs, messages } = summaryOf(cells, from, to)
    this.#statement(
      'INSERT INTO known (file, key, first, last, messages, crc) VALUES (?, ?, ?, ?, ?, ?)',
    ).run(file, key, firstMs, lastMs, messages, checksum(file, key, firstMs, lastMs, messages))
  }

  /** Says what `view` answers from now on; its files of the paths given, and their keys. */
  keep(view: string, paths: readonly string[], loaded: string): Kept {
    this.db.prepare('INSERT OR REPLACE INTO loaded (view, json) VALUES (?, ?)').run(view, loaded)
    const all = this.files(view)
    const files = new Map(paths.flatMap((path) => (all.has(path) ? [[path, all.get(path)!]] : [])))
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

interface Known {
  readonly key: string
  readonly first: number
  readonly last: number
  readonly messages: number
  readonly crc: number
}

function checksum(file: number, key: string, first: number, last: number, messages: number): number {
  return crc32(JSON.stringify([file, key, first, last, messages]))
}

/** Every key of the files, with what is known of it. Throws `E_INDEX_DAMAGED`. */
function keysOf(db: Database.Database, files: Iterable<FilledFile>): KeySummary[] {
  const keys = new Map<string, KeySummary>()
  const statement = db.prepare<[number], Known>(
    'SELECT key, first, last, messages, crc FROM known WHERE file = ?',
  )
  for (const { id } of files) {
    for (const { key, first, last, messages, crc } of statement.all(id)) {
      if (crc !== checksum(id, key, first, last, messages))
        throw new TidemarkError('E_INDEX_DAMAGED', `what the serving index knows of ${key} is damaged`)
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
