import Database from 'better-sqlite3'
import { describeError, isError, TidemarkError } from '../../schemas/errors.ts'

/**
 * The serving index: chunks of cells of every view, in SQLite. A cache: every byte of it can be read again from the lake,
 * and an index of another format or damaged is simply begun anew.
 *
 *     file    one data file of a view's published version, whose chunks are filled, how many keys it has, and a checksum; no number is
 *             given twice, for what was read of a file is kept by its number
 *     block   keys of a file that follow each other and whose minutes and hours lie side by side: the first, in which parts of the
 *             date they have minutes, a bit for each, and a checksum
 *     chunk   the rows of some keys in a file at one level, or in a part of the date, in pieces (`chunk-codec.ts`)
 *     known   first and last bucket and messages of one key in a file, and a checksum of them
 *
 * One connection writes, that of the loader; answers read through another.
 */
const FORMAT = '9'
export const PAGE_BYTES = 16 << 10
/** What the write-ahead log is cut back to. */
const WAL_BYTES_MAX = 4 << 20

/** Opens the index to write it, begun anew where it has another format. */
export function openToWrite(path: string): Database.Database {
  const db = new Database(path)
  try {
    // Most chunks take some thousand bytes: in small pages much would stay empty. Only a new file is begun with them.
    db.pragma(`page_size = ${PAGE_BYTES}`)
    db.pragma('journal_mode = WAL')
    // A lost last transaction costs a second look at the lake, nothing else.
    db.pragma('synchronous = NORMAL')
    // What was removed is gone from the file: it may have been erased.
    db.pragma('secure_delete = ON')
    db.pragma(`journal_size_limit = ${WAL_BYTES_MAX}`)
    if (formatOf(db) !== FORMAT) remake(db)
  } catch (error) {
    db.close()
    throw fullAsListed(path, error)
  }
  return db
}

/** Opens an index that is there to read it. */
export function openToRead(path: string): Database.Database {
  return new Database(path, { readonly: true, fileMustExist: true })
}

function formatOf(db: Database.Database): string | null {
  const made = db.prepare("SELECT 1 FROM sqlite_master WHERE name = 'format'").get()
  return made ? (db.prepare<[], { stamp: string }>('SELECT stamp FROM format').get()?.stamp ?? null) : null
}

/** Tables of this format and of those before. */
const TABLES = ['cell', 'tick_cell', 'tick', 'file', 'block', 'chunk', 'days', 'known', 'loaded', 'format']

function remake(db: Database.Database): void {
  db.transaction(() => {
    for (const table of TABLES) db.exec(`DROP TABLE IF EXISTS ${table}`)
    db.exec(`
      CREATE TABLE file (id INTEGER PRIMARY KEY AUTOINCREMENT, view TEXT, path TEXT, date TEXT, minutes INTEGER,
        keys INTEGER, crc INTEGER, UNIQUE (view, path));
      CREATE TABLE block (file INTEGER, first TEXT, slices INTEGER, crc INTEGER, PRIMARY KEY (file, first))
        WITHOUT ROWID;
      CREATE TABLE chunk (file INTEGER, level INTEGER, slice INTEGER, first TEXT, piece INTEGER, body BLOB,
        PRIMARY KEY (file, level, slice, first, piece));
      CREATE TABLE known (file INTEGER, key TEXT, first INTEGER, last INTEGER, messages INTEGER, crc INTEGER,
        PRIMARY KEY (file, key))
        WITHOUT ROWID;
      CREATE TABLE format (stamp TEXT)`)
    db.prepare('INSERT INTO format (stamp) VALUES (?)').run(FORMAT)
  })()
}

/** Whether SQLite or a checksum says that the index is damaged: a table that is not there is damage too. */
export function isDamaged(error: unknown): boolean {
  if (isError(error, 'E_INDEX_DAMAGED')) return true
  const code = codeOf(error)
  return code.startsWith('SQLITE_') && ![...FULL, ...ELSEWHERE].some((prefix) => code.startsWith(prefix))
}

/** An error of SQLite at `path`, where it means that the disk is full as `E_DISK_FULL`; the file is whole then. */
export function fullAsListed(path: string, error: unknown): unknown {
  if (!FULL.includes(codeOf(error))) return error
  return new TidemarkError('E_DISK_FULL', `${path}: no space left (${describeError(error)})`, {
    cause: error,
  })
}

/** The second: there is no room for the memory that connections share. */
const FULL = ['SQLITE_FULL', 'SQLITE_IOERR_SHMSIZE']
/** What is not in the file. */
const ELSEWHERE = ['BUSY', 'CANTOPEN', 'LOCKED', 'NOMEM', 'PERM'].map((name) => `SQLITE_${name}`)

function codeOf(error: unknown): string {
  return (error as { code?: string }).code ?? ''
}
