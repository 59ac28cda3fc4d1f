import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'
import type { DataFile, Table } from '../../lake/delta/port.ts'
import { type BucketReads, bucketPath, type InstanceReads } from '../../lake/store/bucket-reads.ts'
import { whollyWithin } from '../../lake/tables/messages.ts'
import { describeError, isError } from '../../schemas/errors.ts'
import type { Disk } from '../../schemas/ports/disk.ts'
import type { Position } from '../../schemas/position.ts'
import { serialQueue } from '../../schemas/serial-queue.ts'
import { duckdb } from '../../schemas/sql/duckdb.ts'
import { HOUR_MS } from '../../schemas/time.ts'
import { viewColumns } from '../../schemas/view-columns.ts'
import { finalSql, type MessageRelation, mapSql, orderSql, reduceSql } from '../../schemas/view-sql.ts'
import type { DatePlan } from '../plan.ts'
import { hoursCondition, lackedGauges, positionCondition } from './conditions.ts'
import { describeFile, run } from './described.ts'
import {
  coversDate,
  type Engine,
  type EngineTables,
  formTag,
  type OpenEngine,
  type ViewFile,
} from './engine.ts'

/** Memory that DuckDB takes before it spills to the scratch folder: the lists of a date of 4 M messages fit, once. */
const MEMORY_MAX = '600MB'
/** As DuckDB's own default: large enough to scan fast, small enough to skip. */
const ROW_GROUP_ROWS = 122_880
/** A date seldom has more than one row group to work on: two at a time keep two threads busy. */
const DATES_AT_A_TIME = 2
/** From so many messages on a date keeps the threads busy alone, and two would take twice the memory: one goes after the other. */
const LARGE_ROWS = 4 * ROW_GROUP_ROWS

/**
 * DuckDB in this process, on its own threads. Dates' files are written to `scratchDir`, and taken from there. Dates of
 * `largeRows` messages and more are computed one at a time. One whose cells take more memory than there
 * is, as those of many services with percentiles do, is computed in twice as many `pieces`, of some hours each. With `reads` it reads
 * a bucket itself: files that were verified before.
 */
export function duckdbEngine(
  scratchDir: string,
  disk: Disk,
  { largeRows = LARGE_ROWS, pieces = 1, reads = null }: Partial<Options> = {},
): OpenEngine {
  return async (tables) => {
    await disk.makeDir(scratchDir)
    const instance = await DuckDBInstance.create(':memory:', {
      memory_limit: MEMORY_MAX,
      temp_directory: scratchDir,
      autoinstall_known_extensions: 'false',
      preserve_insertion_order: 'false',
      // What a statement leaves is given back to the system at once, not kept for the next.
      allocator_background_threads: 'true',
    })
    const bucket = reads === null ? null : await openReads(reads, instance)
    return new Duckdb(tables, instance, { scratchDir, disk, largeRows, pieces, bucket })
  }
}

async function openReads(reads: BucketReads, instance: DuckDBInstance): Promise<InstanceReads | null> {
  const connection = await instance.connect()
  try {
    return await reads.open(connection)
  } finally {
    connection.closeSync()
  }
}

interface Options {
  readonly largeRows: number
  readonly pieces: number
  readonly reads: BucketReads | null
}

interface Scratch extends Omit<Options, 'reads'> {
  readonly scratchDir: string
  readonly disk: Disk
  /** Null: files are read by their paths. */
  readonly bucket: InstanceReads | null
}

/** What computes one date. */
interface DateWork {
  readonly connection: DuckDBConnection
  /** Names of its tables begin so. */
  readonly name: string
  readonly signal: AbortSignal
}

class Duckdb implements Engine {
  readonly dates = DATES_AT_A_TIME
  readonly #tables: EngineTables
  readonly #instance: DuckDBInstance
  readonly #scratch: Scratch
  readonly #large = serialQueue()
  #made = 0
  /** Groups of hours that a date was last computed in: what was too much at once is so for the next date. */
  #pieces: number

  constructor(tables: EngineTables, instance: DuckDBInstance, scratch: Scratch) {
    this.#tables = tables
    this.#instance = instance
    this.#scratch = scratch
    this.#pieces = scratch.pieces
  }

  compute(date: DatePlan, upTo: Position, signal: AbortSignal): Promise<ViewFile | null> {
    const compute = () => this.#computeWithin(date, upTo, signal)
    if (messagesIn(date) < this.#scratch.largeRows) return compute()
    return this.#large(async () => {
      const made = await compute()
      await this.#giveBack()
      return made
    })
  }

  /** What its threads keep of memory that they have freed goes with them: the next date's comes on top of it otherwise. */
  async #giveBack(): Promise<void> {
    const connection = await this.#instance.connect()
    try {
      await run(connection, 'SET threads = 1; RESET threads')
    } finally {
      connection.closeSync()
    }
  }

  /** In so few pieces that memory is enough. Throws `E_ENGINE` when an hour is too much. */
  async #computeWithin(date: DatePlan, upTo: Position, signal: AbortSignal): Promise<ViewFile | null> {
    const piecesMax = this.#tables.view.bucketMs <= HOUR_MS ? Math.max(1, date.hours.length) : 1
    for (let pieces = Math.min(this.#pieces, piecesMax); ; pieces = Math.min(2 * pieces, piecesMax)) {
      try {
        const made = await this.#compute(date, upTo, signal, pieces)
        this.#pieces = Math.max(this.#pieces, pieces)
        return made
      } catch (error) {
        if (!isOutOfMemory(error) || pieces >= piecesMax) throw error
      }
    }
  }

  async #compute(
    date: DatePlan,
    upTo: Position,
    signal: AbortSignal,
    pieces: number,
  ): Promise<ViewFile | null> {
    signal.throwIfAborted()
    const connection = await this.#instance.connect()
    const interrupt = () => connection.interrupt()
    signal.addEventListener('abort', interrupt)
    const { bucket } = this.#scratch
    const name = `date_${this.#made++}`
    const path = `${this.#scratch.scratchDir}/${name}.parquet`
    await bucket?.count(connection)
    try {
      await run(connection, "SET TimeZone = 'UTC'")
      await bucket?.renew(connection)
      const cells = await this.#cellsSql(date, upTo, { connection, name, signal, pieces })
      signal.throwIfAborted()
      const order = orderSql(this.#tables.view, duckdb)
      const options = `FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE ${ROW_GROUP_ROWS}`
      await run(connection, `COPY (${cells} ORDER BY ${order}) TO ${duckdb.text(path)} (${options})`)
      const about = await describeFile(connection, path, { view: this.#tables.view, date: date.date })
      if (about.rows === 0) return null
      return { bytes: (await this.#scratch.disk.readFile(path))!, about }
    } finally {
      signal.removeEventListener('abort', interrupt)
      await bucket?.counted(connection)
      connection.closeSync()
      await this.#scratch.disk.remove(path)
    }
  }

  /** A query that gives the date's cells in the published columns. Several pieces leave tables behind, one is the query itself. */
  async #cellsSql(
    date: DatePlan,
    upTo: Position,
    work: DateWork & { readonly pieces: number },
  ): Promise<string> {
    const { view, viewTable } = this.#tables
    const all: string[] = []
    const hoursEach = Math.ceil(date.hours.length / work.pieces)
    for (let at = 0; at < date.hours.length; at += hoursEach) {
      const name = `${work.name}_${at}`
      const hours = date.hours.slice(at, at + hoursEach)
      const sql = await this.#computedSql({ ...date, hours }, upTo, { ...work, name })
      if (sql === null) continue
      if (work.pieces > 1) await run(work.connection, `CREATE TEMP TABLE ${name} AS ${sql}`)
      all.push(work.pieces > 1 ? `SELECT * FROM ${name}` : sql)
    }
    if (date.base !== null && !coversDate(date))
      all.push(this.#carriedSql(await this.#path(viewTable, date.base), date))
    if (all.length > 0) return all.join(' UNION ALL ')
    const none = viewColumns(view).map(({ name: column }) => `NULL AS ${duckdb.name(column)}`)
    return `SELECT ${none.join(', ')} WHERE false`
  }

  /** A query for the cells of the date's hours; null without messages. Several map tasks leave tables behind. */
  async #computedSql(
    date: DatePlan,
    upTo: Position,
    { connection, name, signal }: DateWork,
  ): Promise<string | null> {
    const { view } = this.#tables
    const maps: string[] = []
    for (const { files } of date.maps)
      if (files.length > 0) maps.push(await this.#mapSql(files, date.hours, upTo))
    if (maps.length === 0) return null
    if (maps.length === 1) return finalSql(view, duckdb, maps[0]!)
    const tables: string[] = []
    for (const [i, sql] of maps.entries()) {
      signal.throwIfAborted()
      tables.push(`${name}_map_${i}`)
      await run(connection, `CREATE TEMP TABLE ${name}_map_${i} AS ${sql}`)
    }
    return finalSql(view, duckdb, reduceSql(view, duckdb, tables))
  }

  async #mapSql(files: readonly DataFile[], hours: readonly string[], upTo: Position): Promise<string> {
    const byForm = new Map<string | null, { paths: string[]; lacks: ReadonlySet<string> }>()
    for (const file of files) {
      const path = await this.#path(this.#tables.messages, file)
      const same = byForm.get(formTag(file))
      if (same === undefined)
        byForm.set(formTag(file), { paths: [path], lacks: lackedGauges(this.#tables.view, file) })
      else same.paths.push(path)
    }
    const sources: MessageRelation[] = [...byForm.values()].map(({ paths, lacks }) => ({
      relation: `read_parquet([${paths.map(duckdb.text).join(', ')}])`,
      lacks,
    }))
    const within = files.every((file) => whollyWithin(file, upTo))
    const conditions = [hoursCondition(hours, duckdb), ...(within ? [] : [positionCondition(upTo, duckdb)])]
    return mapSql(this.#tables.view, duckdb, sources, conditions.join(' AND '))
  }

  /** Where DuckDB reads a file that was verified. */
  async #path(table: Table, file: DataFile): Promise<string> {
    return (this.#scratch.bucket && bucketPath(table.url(file))) ?? table.localPath(file)
  }

  #carriedSql(path: string, { hours }: DatePlan): string {
    const columns = viewColumns(this.#tables.view).map(({ name }) => duckdb.name(name))
    return `SELECT ${columns.join(', ')} FROM read_parquet(${duckdb.text(path)}) WHERE NOT (${hoursCondition(hours, duckdb)})`
  }

  async close(): Promise<void> {
    try {
      const connection = await this.#instance.connect()
      // Its threads are waited for elsewhere: in this thread nothing else would be done for tens of milliseconds.
      await connection.run('SET threads = 1')
      connection.closeSync()
    } finally {
      this.#instance.closeSync()
    }
  }
}

/** DuckDB spills what it can; lists that are being put together it cannot. */
const isOutOfMemory = (error: unknown) =>
  isError(error, 'E_ENGINE') && /out of memory/i.test(describeError(error))

const messagesIn = ({ maps }: DatePlan) =>
  maps.reduce((sum, { files }) => files.reduce((rows, file) => rows + file.rows, sum), 0)
