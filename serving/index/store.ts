import Database from 'better-sqlite3'
import type { ViewState } from '../../lake/tables/published.ts'
import type { Tick } from '../../lake/tables/ticks.ts'
import type { CellRow } from '../../schemas/cell.ts'
import type { Position } from '../../schemas/position.ts'
import { definitionHash, type View } from '../../schemas/view.ts'
import { cellToValues, valuesToCell, viewColumns } from '../../schemas/view-table.ts'
import { derive, LEVELS, type Level, planRanges } from './levels.ts'

/**
 * The serving index: one version of a view and the ticks that continue it, in SQLite. A cache: every byte of it can be
 * read again from the lake, and an index of another format or damaged is simply begun anew.
 *
 * All changes of one look at the lake go in one transaction, so a query sees version v with exactly its chain of ticks,
 * or the state before.
 */
export interface Loaded {
  /** Null before the first publish. */
  readonly viewVersion: number | null
  readonly state: ViewState | null
  /** Definition that the cells follow. */
  readonly hash: string
  /** Per partition, the end of the chain of ticks from the tidemark. */
  readonly chainEnd: Position
  readonly ticks: readonly Omit<Tick, 'file'>[]
  readonly files: readonly string[]
  readonly messagesVersion: number | null
  /** Partitions that take no more blocks: their last offset. */
  readonly closed: Position
  /** Ticks or files that could not be read: what is wrong, in words. */
  readonly damaged: readonly { partition: number; from: number; to: number; reason: string }[]
}

/** One load of the index, as data. */
export interface Load {
  readonly loaded: Loaded
  /** Dates whose cells go, before `add`. */
  readonly dropDates: readonly string[]
  readonly addDates: readonly { date: string; path: string; rows: readonly CellRow[] }[]
  /** Ticks to keep, by path; the others go. */
  readonly keepTicks: ReadonlySet<string>
  readonly addTicks: readonly { path: string; rows: readonly CellRow[] }[]
}

const FORMAT = 1

export class IndexStore {
  readonly view: View
  /** The snapshots that the last look at the lake saw. */
  seen: readonly unknown[] = []
  readonly #db: Database.Database
  #loaded: Loaded
  readonly #insertCell: Database.Statement
  readonly #insertTickCell: Database.Statement
  readonly #cells: Database.Statement<[number, string, number, number], unknown[]>
  readonly #tickCells: Database.Statement<[string, number, number], unknown[]>
  readonly #statements = new Map<string, Database.Statement<unknown[], unknown>>()

  constructor(path: string, view: View) {
    this.view = view
    this.#db = openDatabase(path, view)
    const columns = viewColumns(view).slice(view.key.length + 1)
    const names = columns.map(({ name }) => `"${name}"`).join(', ')
    const marks = columns.map(() => '?').join(', ')
    this.#insertCell = this.#db.prepare(
      `INSERT INTO cell (level, date, key, t, ${names}) VALUES (?, ?, ?, ?, ${marks})`,
    )
    this.#insertTickCell = this.#db.prepare(
      `INSERT INTO tick_cell (path, key, t, ${names}) VALUES (?, ?, ?, ${marks})`,
    )
    this.#cells = this.#db
      .prepare<[number, string, number, number], unknown[]>(
        `SELECT key, t, ${names} FROM cell WHERE level = ? AND key = ? AND t >= ? AND t < ? ORDER BY t`,
      )
      .raw() as never
    this.#tickCells = this.#db
      .prepare<[string, number, number], unknown[]>(
        `SELECT key, t, ${names} FROM tick_cell WHERE key = ? AND t >= ? AND t < ?`,
      )
      .raw() as never
    this.#loaded = JSON.parse(
      this.#db.prepare<[], { json: string }>('SELECT json FROM loaded').get()?.json ??
        JSON.stringify(nothing(view)),
    )
  }

  /** A prepared statement; preparing costs more than most of them. */
  #sql<R = unknown>(text: string): Database.Statement<unknown[], R> {
    let statement = this.#statements.get(text)
    if (statement === undefined) {
      statement = this.#db.prepare<unknown[], unknown>(text)
      this.#statements.set(text, statement)
    }
    return statement as Database.Statement<unknown[], R>
  }

  get loaded(): Loaded {
    return this.#loaded
  }

  /** Paths of the version's files that are loaded, with their date. */
  files(): Map<string, string> {
    return new Map(
      this.#sql<{ path: string; date: string }>('SELECT path, date FROM file')
        .all()
        .map(({ path, date }) => [path, date]),
    )
  }

  /** Paths of the loaded ticks. */
  ticks(): Set<string> {
    return new Set(
      this.#sql<{ path: string }>('SELECT path FROM tick')
        .all()
        .map(({ path }) => path),
    )
  }

  /** Brings the index to another state of the lake, in one transaction. */
  apply(load: Load): void {
    this.#db.transaction(() => {
      const dropCells = this.#sql('DELETE FROM cell WHERE date = ?')
      const dropFiles = this.#sql('DELETE FROM file WHERE date = ?')
      for (const date of load.dropDates) {
        dropCells.run(date)
        dropFiles.run(date)
      }
      const addFile = this.#sql('INSERT INTO file (path, date) VALUES (?, ?)')
      for (const { date, path, rows } of load.addDates) {
        addFile.run(path, date)
        for (const level of LEVELS) this.#insertLevel(date, level, rows)
      }
      for (const path of this.ticks()) {
        if (load.keepTicks.has(path)) continue
        this.#sql('DELETE FROM tick_cell WHERE path = ?').run(path)
        this.#sql('DELETE FROM tick WHERE path = ?').run(path)
      }
      for (const { path, rows } of load.addTicks) {
        this.#sql('INSERT INTO tick (path) VALUES (?)').run(path)
        for (const row of rows) this.#insertTickCell.run(path, row.key, row.minuteMs, ...this.#values(row))
      }
      this.#sql('DELETE FROM loaded').run()
      this.#sql('INSERT INTO loaded (json) VALUES (?)').run(JSON.stringify(load.loaded))
    })()
    this.#loaded = load.loaded
  }

  #insertLevel(date: string, level: Level, minutes: readonly CellRow[]): void {
    const rows = level === 0 ? minutes : derive(this.view, minutes, level)
    for (const row of rows) this.#insertCell.run(level, date, row.key, row.minuteMs, ...this.#values(row))
  }

  #values(row: CellRow): (string | number)[] {
    return cellToValues(this.view, row).slice(this.view.key.length + 1)
  }

  /** Batch cells of `key` that add up to `[fromMs, toMs)`, of `coarsest` and finer levels. */
  *batchCells(key: string, fromMs: number, toMs: number, coarsest: Level = 2): Generator<CellRow> {
    for (const range of planRanges(fromMs, toMs, coarsest)) {
      yield* this.#rows(this.#cells.all(range.level, key, range.fromMs, range.toMs))
    }
  }

  /** Batch cells of `key` in `[fromMs, toMs)`, minute by minute. */
  *batchMinutes(key: string, fromMs: number, toMs: number): Generator<CellRow> {
    yield* this.#rows(this.#cells.all(0, key, fromMs, toMs))
  }

  /** Cells of the chain's ticks; of one minute there may be several to merge. */
  *tickCells(key: string, fromMs: number, toMs: number): Generator<CellRow> {
    yield* this.#rows(this.#tickCells.all(key, fromMs, toMs))
  }

  *#rows(rows: unknown[][]): Generator<CellRow> {
    for (const [key, t, ...rest] of rows as [string, number, ...(string | number)[]][]) {
      const { minuteMs, cell } = valuesToCell(this.view, [...this.view.key.map(() => ''), t, ...rest])
      yield { key, minuteMs, cell }
    }
  }

  /** Every key that has cells here. */
  keys(): Set<string> {
    const rows = this.#sql<{ key: string }>(
      'SELECT DISTINCT key FROM cell WHERE level = 2 UNION SELECT DISTINCT key FROM tick_cell',
    ).all()
    return new Set(rows.map(({ key }) => key))
  }

  /** First and last minute and count of `key` in batch cells and ticks; null when it has none. */
  extent(key: string): { firstMs: number; lastMs: number; messages: number } | null {
    const row = this.#sql<{ first: number | null; last: number; n: number }>(
      `SELECT min(first) AS first, max(last) AS last, sum(n) AS n FROM (
           SELECT min(t) AS first, max(t) AS last, 0 AS n FROM cell WHERE level = 0 AND key = ?
           UNION ALL SELECT NULL, NULL, sum(msg_num) FROM cell WHERE level = 2 AND key = ?
           UNION ALL SELECT min(t), max(t), sum(msg_num) FROM tick_cell WHERE key = ?) WHERE ? IS NOT NULL`,
    ).get(key, key, key, key)
    if (!row || row.first === null) return null
    return { firstMs: row.first, lastMs: row.last, messages: row.n }
  }

  close(): void {
    this.#db.close()
  }
}

/** What an index says before it looked at the lake for the first time. */
function nothing(view: View): Loaded {
  return {
    viewVersion: null,
    state: null,
    hash: definitionHash(view),
    chainEnd: {},
    ticks: [],
    files: [],
    messagesVersion: null,
    closed: {},
    damaged: [],
  }
}

function openDatabase(path: string, view: View): Database.Database {
  const db = new Database(path)
  try {
    db.pragma('journal_mode = WAL')
    // A lost last transaction costs a second look at the lake, nothing else.
    db.pragma('synchronous = NORMAL')
    const stamp = `${FORMAT} ${viewColumns(view).map(({ name }) => name)}`
    if (stampOf(db) !== stamp) remake(db, view, stamp)
  } catch (error) {
    db.close()
    throw error
  }
  return db
}

function stampOf(db: Database.Database): string | null {
  const made = db.prepare("SELECT 1 FROM sqlite_master WHERE name = 'format'").get()
  return made ? (db.prepare<[], { stamp: string }>('SELECT stamp FROM format').get()?.stamp ?? null) : null
}

function remake(db: Database.Database, view: View, stamp: string): void {
  const columns = viewColumns(view)
    .slice(view.key.length + 1)
    .map(
      ({ name, type }) =>
        `"${name}" ${type === 'string' ? 'TEXT' : type === 'double' ? 'REAL' : 'INTEGER'} NOT NULL`,
    )
    .join(', ')
  db.transaction(() => {
    for (const table of ['cell', 'tick_cell', 'file', 'tick', 'loaded', 'format']) {
      db.exec(`DROP TABLE IF EXISTS ${table}`)
    }
    db.exec(`
      CREATE TABLE cell (level INTEGER, date TEXT, key TEXT, t INTEGER, ${columns}, PRIMARY KEY (level, key, t)) WITHOUT ROWID;
      CREATE INDEX cell_date ON cell (date);
      CREATE TABLE tick_cell (path TEXT, key TEXT, t INTEGER, ${columns}, PRIMARY KEY (key, t, path)) WITHOUT ROWID;
      CREATE INDEX tick_cell_path ON tick_cell (path);
      CREATE TABLE file (path TEXT PRIMARY KEY, date TEXT);
      CREATE TABLE tick (path TEXT PRIMARY KEY);
      CREATE TABLE loaded (json TEXT);
      CREATE TABLE format (stamp TEXT)`)
    db.prepare('INSERT INTO format (stamp) VALUES (?)').run(stamp)
  })()
}
