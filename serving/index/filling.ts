import { crc32 } from 'node:zlib'
import type Database from 'better-sqlite3'
import type { NumberColumn } from '../../schemas/cell-column.ts'
import { CellFold } from '../../schemas/cell-fold.ts'
import { joinSummaries, type KeySummary } from '../../schemas/cell-rows.ts'
import { type CellRange, type Cells, endOfKey, joinRows, keyAt, timesOf } from '../../schemas/cells.ts'
import { TidemarkError } from '../../schemas/errors.ts'
import { layoutOf } from '../../schemas/view-columns.ts'
import { encodeChunk } from './chunk-codec.ts'
import { openToWrite } from './database.ts'
import { BUCKET_MS, type Level } from './levels.ts'

/** A data file of a view as the index has it. */
export interface FilledFile {
  readonly id: number
  readonly date: string
  /** Whether its minutes are here too, or only hours and days. */
  readonly minutes: boolean
}

/** Its row, which a checksum covers. */
interface FileRow extends FilledFile {
  readonly view: string
  readonly path: string
  /** How many keys it has. */
  readonly keys: number
}

/** What a view's files are in the index. */
export interface Kept {
  readonly files: ReadonlyMap<string, FilledFile>
  /** Every key of them. */
  readonly keys: readonly KeySummary[]
}

/** Keys that are added between two turns of others. */
const KEYS_AT_ONCE = 32
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
      const days: CellRange[] = []
      for (let from = 0, to = 0; from < cells.length; from = to) {
        to = endOfKey(cells, from)
        days.push(this.#fillKey(id, keyAt(cells, from), cells, from, to, file.minutes))
        if (days.length % KEYS_AT_ONCE === 0) yield
      }
      this.#fillDays(id, joinRows(cells.view, days))
      const keys = days.length
      const crc = checksumOf({ ...file, id, view, keys })
      db.prepare('UPDATE file SET keys = ?, crc = ? WHERE id = ?').run(keys, crc, id)
      db.exec('COMMIT')
    } finally {
      if (db.inTransaction) db.exec('ROLLBACK')
    }
  }

  #fillDays(file: number, days: Cells): void {
    const { plain, sketches } = encodeChunk(days, 0, days.length, { file, key: null, level: 2 })
    this.#statement('INSERT INTO days (file, plain, sketches) VALUES (?, ?, ?)').run(file, plain, sketches)
  }

  /** Adds the cells of a key at every level; returns its day. */
  #fillKey(
    file: number,
    key: string,
    cells: Cells,
    from: number,
    to: number,
    withMinutes: boolean,
  ): CellRange {
    const place = (level: Level) => ({ file, key, level })
    const minutes = withMinutes ? encodeChunk(cells, from, to, place(0)) : { plain: null, sketches: null }
    const hours = coarser(cells, from, to, BUCKET_MS[1]!)
    const day = coarser(hours, 0, hours.length, BUCKET_MS[2]!)
    const h = encodeChunk(hours, 0, hours.length, place(1))
    const d = encodeChunk(day, 0, day.length, place(2))
    this.#statement(
      'INSERT INTO chunk (file, key, day, day_sketches, hours, hours_sketches, minutes, minutes_sketches) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
    ).run(file, key, d.plain, d.sketches, h.plain, h.sketches, minutes.plain, minutes.sketches)
    const { firstMs, lastMs, messages } = summaryOf(cells, from, to)
    this.#statement(
      'INSERT INTO known (file, key, first, last, messages, crc) VALUES (?, ?, ?, ?, ?, ?)',
    ).run(file, key, firstMs, lastMs, messages, checksum(file, key, firstMs, lastMs, messages))
    return { cells: day, from: 0, to: day.length }
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
    this.#statement('DELETE FROM days WHERE file = ?').run(id)
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

function checksumOf({ id, view, path, date, minutes, keys }: FileRow): number {
  return crc32(JSON.stringify([id, view, path, date, minutes, keys]))
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
