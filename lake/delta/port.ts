/** What Tidemark's layers ask of a Delta table. The format: docs/format/tables.md and delta-io/delta PROTOCOL.md. */

import type { StoredObject } from '../store/port.ts'

export interface Field {
  readonly name: string
  /** A sketch is an array of structs of a bucket (integer) and a count (long). */
  readonly type: 'string' | 'long' | 'integer' | 'double' | 'boolean' | 'timestamp' | 'date' | 'sketch'
  readonly nullable: boolean
}

export interface TableSchema {
  readonly fields: readonly Field[]
  readonly partitionBy: readonly string[]
}

/** A data file of a version. `path` is relative to the table's folder and decoded. */
export interface DataFile {
  readonly path: string
  readonly size: number
  readonly modifiedMs: number
  readonly partition: { readonly [column: string]: string | null }
  readonly rows: number
  /** Delta statistics, as JSON values: timestamps as ISO 8601 strings. */
  readonly min: { readonly [column: string]: unknown }
  readonly max: { readonly [column: string]: unknown }
  readonly nulls: { readonly [column: string]: number }
  /** Kept by checkpoints. `crc32` (8 hexadecimal digits of the file's CRC-32) is always among them. */
  readonly tags: { readonly [name: string]: string }
}

export interface Txn {
  /** A whole number that never goes back. */
  readonly version: number
  readonly lastUpdatedMs: number | null
}

/** The table at one version. */
export interface Snapshot {
  readonly version: number
  /** Commit time of the version, milliseconds; versions' times strictly grow. */
  readonly timeMs: number
  readonly schema: TableSchema
  readonly configuration: { readonly [name: string]: string }
  /** Live files by path. */
  readonly files: ReadonlyMap<string, DataFile>
  readonly txns: ReadonlyMap<string, Txn>
}

/** What a commit changes. */
export interface Change {
  readonly add?: readonly DataFile[]
  /** Paths of live files. A commit that removes a file already gone is discarded. */
  readonly remove?: readonly string[]
  /** False for a compaction: the rows are the same. */
  readonly dataChange: boolean
  /** appId → new value. Each is compare-and-set on the value in the base snapshot. */
  readonly txns?: { readonly [appId: string]: Txn }
  /** Replaces the whole configuration when given; then any other commit since the base that also set it is a conflict. */
  readonly configuration?: { readonly [name: string]: string }
  /** Replaces the schema when given; a conflict as of the configuration. */
  readonly schema?: TableSchema
  readonly operation: string
  /** Free-form facts for `DESCRIBE HISTORY`; not kept by checkpoints. */
  readonly info?: { readonly [name: string]: unknown }
}

/** Files added and removed with `dataChange: true` by the versions `(from, to]`. */
export interface Changes {
  readonly added: readonly DataFile[]
  readonly removed: readonly string[]
}

export interface Table {
  readonly name: string
  /** The newest version, null before the table exists. Cached state is advanced by listing the log after it. */
  snapshot(): Promise<Snapshot | null>
  /** The table at `version`; throws `E_VERSION_GONE` naming the oldest one whose rows can be read. */
  at(version: number): Promise<Snapshot>
  /** The newest version committed at or before `timeMs`; throws `E_VERSION_GONE` when none can be read. */
  versionAt(timeMs: number): Promise<number>
  /**
   * The error `E_VERSION_GONE` of a version whose rows were asked for, which names the oldest one that is kept; `error` itself where that version is
   * kept: then it was something else. A clean-up removes files that the log still names.
   */
  goneOr(error: unknown, version: number): Promise<unknown>
  /** Makes the table (version 0) unless it exists; returns the newest snapshot. */
  create(schema: TableSchema, configuration: Record<string, string>): Promise<Snapshot>
  /**
   * Commits on top of `base` and returns the new snapshot. When others committed in between, it retries at the next version
   * unless one of them changed a txn that `change` sets, removed a file it removes, set the
   * configuration where it does too, or was made hours after a file that it adds was written, which a clean-up may then have
   * removed: then `E_CONFLICT`: discard the work, start again from the table.
   */
  commit(base: Snapshot, change: Change): Promise<Snapshot>
  /** The own id of the commit that made `version`; null when the commit is gone, or its writer gave none. */
  commitId(version: number): Promise<string | null>
  /** What the versions `(from, to]` changed; null when that history is gone. */
  changes(from: number, to: number): Promise<Changes | null>
  /** Stores a data file under a fresh unique name below its partition's folder and describes it; not yet part of any version. */
  writeFile(bytes: Uint8Array, about: FileAbout): Promise<DataFile>
  /** Bytes of a data file; throws `E_FILE_DAMAGED` naming it when it is missing or its CRC-32 differs. */
  readFile(file: DataFile): Promise<Uint8Array>
  /** Checks now that a data file is there and its CRC-32 right; throws like `readFile`. */
  verify(file: DataFile): Promise<void>
  /** Path for a local engine of a file that was verified, now or before in this process; throws like `readFile`. */
  localPath(file: DataFile): Promise<string>
  /** Where a program on any machine finds a data file (`ObjectStore.url`); nothing says that it is whole. Throws `E_STORE`. */
  url(file: DataFile): string
  /** What `tend` would remove now: log entries and data files. */
  removable(nowMs: number, retentionMs: number): Promise<readonly StoredObject[]>
  /**
   * Upkeep: writes a checkpoint when due, removes log entries older than the retention that no reader
   * needs, deletes files that no version within the retention names and that are older than it. A table whose newest
   * version is old has no age of its own: what that version replaced goes once the table goes on. Where a commit was lost
   * that a start needs, a checkpoint of what is known of it takes its place. With `checkpoint` one is
   * written in any case, so that all older versions can go.
   */
  tend(nowMs: number, retentionMs: number, options?: { readonly checkpoint?: boolean }): Promise<void>
}

export interface FileAbout {
  readonly partition: { readonly [column: string]: string | null }
  readonly rows: number
  readonly min: { readonly [column: string]: unknown }
  readonly max: { readonly [column: string]: unknown }
  readonly nulls?: { readonly [column: string]: number }
  readonly tags?: { readonly [name: string]: string }
}
