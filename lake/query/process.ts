import type { Calls } from '../../schemas/calls.ts'
import type { TableSchema } from '../delta/port.ts'
import type { GivenReads } from '../store/bucket-reads.ts'

/**
 * A query runs in a process of its own, for DuckDB neither counts all the memory that it takes nor ends everything that it is told to:
 *
 *     asker ◀──▶ running.ts ────── begin, answer, rows ──────▶ answering.ts ──▶ DuckDB
 *                    │      ◀───── schemas, files ───────────      │
 *                    └─ SIGKILL beyond time or memory ────────▶ the process
 *
 * The process is given paths of files, and rows when it is asked for them, so that no more of them wait than are in one piece.
 */
export interface QueryProcess {
  readonly calls: Calls
  /** Resolves once there is no such process any more, with why it ended. Never rejects. */
  readonly ended: Promise<ProcessEnd>
  /** Ends it at once, whatever it is at. */
  kill(): void
}

export type ProcessEnd =
  /** By `kill`. */
  | { readonly by: 'caller' }
  /** It had more memory than it may have, or the system had none. */
  | { readonly by: 'memory' }
  | { readonly by: 'itself'; readonly said: string }

/** Begins the process of one query, which may have so many bytes of memory beside those of the program. */
export type BeginProcess = (memoryBytes: number) => QueryProcess

/** What the process is told first. */
export interface Begin {
  /** A folder that is its own and there already. */
  readonly dir: string
  /** The file that it is to write; null where it writes none. */
  readonly output: string | null
  readonly memoryBytes: number
  /** Null: it reads files of this machine. */
  readonly reads: GivenReads | null
}

export interface NamedSchema {
  readonly name: string
  readonly schema: TableSchema
}

/** A table and where the files of its version are; null for a table that the query does not name. */
export interface BoundTable extends NamedSchema {
  readonly paths: readonly string[] | null
}

export interface AskedSql {
  readonly sql: string
  readonly rowsMax: number
}

export interface Column {
  readonly name: string
  readonly type: string
}

/** Some rows, as the JSON text of a list of them. */
export interface Piece {
  readonly rows: string
  readonly isLast: boolean
  /** Whether there are more rows than were asked for. */
  readonly isCut: boolean
}

/** A relation over files, as SQL that names them. */
export interface Relation {
  readonly name: string
  readonly sql: string
  readonly paths: readonly string[]
}

export interface AskedStatements {
  readonly relations: readonly Relation[]
  readonly first: string
  readonly statements: readonly string[]
}
