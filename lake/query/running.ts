import { type DuckDBConnection, DuckDBInstance, type DuckDBResult } from '@duckdb/node-api'
import { describeError, TidemarkError } from '../../schemas/errors.ts'
import type { Clock } from '../../schemas/ports/clock.ts'
import { duckdb } from '../../schemas/sql/duckdb.ts'
import type { Snapshot } from '../delta/port.ts'
import type { InstanceReads } from '../store/bucket-reads.ts'
import {
  checkAsOf,
  pathAt,
  type QueryTable,
  type ReadTable,
  readTable,
  snapshotAt,
  tableSql,
  unnamedSql,
} from './catalog.ts'
import { NO_EXTENSIONS, namesIn, viewSql } from './one-select.ts'
import type { QueryAnswer, QueryDeps, QueryLimits, QueryRequest, Relation } from './query-types.ts'
import { type QueryValue, toQueryValue } from './values.ts'

/** How long DuckDB may take to end a query that it was told to end; some of its functions notice nothing before they are done. */
const END_MS_MAX = 1_000

/** One query at work, with an instance of DuckDB and a scratch folder of its own. */
export class Running {
  readonly #instance: DuckDBInstance
  readonly #connection: DuckDBConnection
  readonly #limits: QueryLimits
  /** Null: files are read by their paths. */
  readonly #bucket: InstanceReads | null
  readonly #ended: () => Promise<void>
  readonly #late = Promise.withResolvers<never>()
  #cause: 'time' | 'stopped' | null = null

  private constructor(
    instance: DuckDBInstance,
    { connection, bucket }: { connection: DuckDBConnection; bucket: InstanceReads | null },
    limits: QueryLimits,
    { clock, signal, ended }: { clock: Clock; signal: AbortSignal; ended(): Promise<void> },
  ) {
    this.#instance = instance
    this.#connection = connection
    this.#bucket = bucket
    this.#limits = limits
    this.#late.promise.catch(() => {})
    const cancels: (() => void)[] = []
    const interrupt = (cause: 'time' | 'stopped') => {
      this.#cause ??= cause
      connection.interrupt()
      cancels.push(clock.after(END_MS_MAX, () => this.#late.reject(this.told(null))))
    }
    const stop = () => interrupt('stopped')
    signal.addEventListener('abort', stop)
    if (signal.aborted) this.#cause = 'stopped'
    cancels.push(clock.after(limits.timeMs, () => interrupt('time')))
    this.#ended = async () => {
      for (const cancel of cancels) cancel()
      signal.removeEventListener('abort', stop)
      await ended()
    }
  }

  static async start(
    limits: QueryLimits,
    deps: QueryDeps,
    signal: AbortSignal,
    done: () => void,
  ): Promise<Running> {
    const { clock, random, disk, scratchDir, removeTree } = deps
    const dir = `${scratchDir}/${random.hex(8)}`
    const ended = async () => {
      done()
      await removeTree(dir)
    }
    try {
      await disk.makeDir(dir)
      const instance = await DuckDBInstance.create(':memory:', {
        memory_limit: `${limits.memoryBytes}B`,
        max_temp_directory_size: `${4 * limits.memoryBytes}B`,
        temp_directory: dir,
        threads: '2',
        ...NO_EXTENSIONS,
      })
      const connection = await instance.connect()
      await connection.run("SET TimeZone = 'UTC'")
      const bucket = (await deps.reads?.open(connection)) ?? null
      return new Running(instance, { connection, bucket }, limits, { clock, signal, ended })
    } catch (error) {
      await ended()
      throw error
    }
  }

  /** `error` in the words of this program: why it ended, or what DuckDB says of the query. */
  told(error: unknown): unknown {
    if (error instanceof TidemarkError) return error
    const { timeMs, memoryBytes } = this.#limits
    if (this.#cause === 'time')
      return new TidemarkError('E_QUERY_LIMIT', `the query took longer than ${timeMs / 1_000} s`)
    if (this.#cause === 'stopped') return new TidemarkError('E_CANCELLED', 'the query was stopped')
    const message = describeError(error)
    if (/^Out of Memory/i.test(message))
      return new TidemarkError(
        'E_QUERY_LIMIT',
        `the query needs more than ${memoryBytes / 2 ** 20} MiB of memory`,
      )
    const said = message.split('\n')[0]!.replace(/^Failed to extract statements: /, '')
    return new TidemarkError('E_QUERY', said, { field: 'sql' })
  }

  /**
   * What `work` of this query comes to. Where that fails the query is over, and told why: soon after it was to end, also when
   * DuckDB goes on, whose threads, memory and place among the queries it then keeps until DuckDB notices.
   */
  async only<T>(work: () => Promise<T>): Promise<T> {
    const working = work()
    let isLate = false
    try {
      return await Promise.race([working, this.#late.promise.finally(() => (isLate = true))])
    } catch (error) {
      const over = Promise.allSettled([working]).then(() => this[Symbol.asyncDispose]())
      if (!isLate) await over
      throw this.told(error)
    }
  }

  async answer(request: QueryRequest, tables: readonly QueryTable[]): Promise<QueryAnswer> {
    const read = await this.#bind(request, tables)
    const result = await this.#connection.stream(request.sql)
    const first = await result.fetchChunk()
    return new Answer(result, first, read, this.#rowsMax(request), {
      told: (error) => this.told(error),
      close: () => this[Symbol.asyncDispose](),
    })
  }

  async writeParquet(
    request: QueryRequest,
    tables: readonly QueryTable[],
    path: string,
  ): Promise<{ tables: readonly ReadTable[]; isCut: boolean }> {
    const read = await this.#bind(request, tables, path)
    const rowsMax = this.#rowsMax(request)
    const { rowsChanged } = await this.#connection.run(copySql(request.sql, path, rowsMax + 1))
    const isCut = rowsChanged > rowsMax
    if (isCut) await this.#connection.run(copySql(request.sql, path, rowsMax))
    return { tables: read, isCut }
  }

  async runOver(
    relations: readonly Relation[],
    first: string,
    statements: readonly string[],
  ): Promise<QueryValue[][][]> {
    const views = relations.map(({ name, sql }) => viewSql(name, sql))
    await this.#close(
      relations.flatMap(({ paths }) => paths),
      views,
    )
    await this.#connection.run(first)
    const all: QueryValue[][][] = []
    for (const statement of statements) {
      const result = await this.#connection.runAndReadAll(statement)
      all.push(result.convertRows(toQueryValue) as QueryValue[][])
    }
    return all
  }

  #rowsMax({ rowsMax = Number.POSITIVE_INFINITY }: QueryRequest): number {
    return Math.min(rowsMax, this.#limits.rowsMax)
  }

  /** Makes the tables that the query names views over their files, and everything else impossible. */
  async #bind(
    { sql, asOf }: QueryRequest,
    tables: readonly QueryTable[],
    output?: string,
  ): Promise<ReadTable[]> {
    const snapshots = new Map<QueryTable, Snapshot | null>()
    await namesIn(sql, tables, async (names) => {
      const named = tables.filter(({ name }) => names.has(name.toLowerCase()))
      checkAsOf(asOf, named)
      for (const one of named) snapshots.set(one, await snapshotAt(one, asOf))
      // A version has the columns of its own definition.
      return tables.map((one) => snapshots.get(one)?.schema ?? one.schema)
    })
    const allowed: string[] = output === undefined ? [] : [output]
    const views: string[] = []
    const read: ReadTable[] = []
    for (const one of tables) {
      const snapshot = snapshots.get(one)
      if (snapshot === undefined) {
        views.push(viewSql(one.name, unnamedSql(one)))
        continue
      }
      const paths: string[] = []
      for (const file of snapshot?.files.values() ?? [])
        paths.push(
          this.#bucket?.path(one.table.url(file)) ?? (await pathAt(one.table, file, snapshot!.version)),
        )
      allowed.push(...paths)
      views.push(viewSql(one.name, tableSql(snapshot?.schema ?? one.schema, paths)))
      read.push(readTable(one, snapshot))
    }
    await this.#close(allowed, views)
    // An interrupt ends what is at work, and nothing was.
    if (this.#cause !== null) throw this.told(null)
    return read
  }

  /** Makes the views, and from then on nothing but the files at `allowed` can be reached. */
  async #close(allowed: readonly string[], views: readonly string[]): Promise<void> {
    await this.#connection.run(`SET allowed_paths = [${allowed.map(duckdb.text).join(', ')}]`)
    for (const view of views) await this.#connection.run(view)
    await this.#connection.run('SET enable_external_access = false')
    await this.#connection.run('SET lock_configuration = true')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#connection.closeSync()
    this.#instance.closeSync()
    await this.#ended()
  }
}

/** Writes the first rows of a query as a file; its own last line may be a comment. */
function copySql(sql: string, path: string, rows: number): string {
  const query = sql.trimEnd().replace(/;$/, '')
  return `COPY (SELECT * FROM (${query}\n) LIMIT ${rows}) TO ${duckdb.text(path)} (FORMAT parquet, COMPRESSION zstd, USE_TMP_FILE false)`
}

class Answer implements QueryAnswer {
  readonly columns: QueryAnswer['columns']
  readonly tables: readonly ReadTable[]
  readonly #result: DuckDBResult
  readonly #first: Awaited<ReturnType<DuckDBResult['fetchChunk']>>
  readonly #rowsMax: number
  readonly #running: { told(error: unknown): unknown; close(): Promise<void> }
  #isCut = false

  constructor(
    result: DuckDBResult,
    first: Awaited<ReturnType<DuckDBResult['fetchChunk']>>,
    tables: readonly ReadTable[],
    rowsMax: number,
    running: { told(error: unknown): unknown; close(): Promise<void> },
  ) {
    const types = result.columnTypes()
    this.columns = result.deduplicatedColumnNames().map((name, i) => ({ name, type: String(types[i]) }))
    this.tables = tables
    this.#result = result
    this.#first = first
    this.#rowsMax = rowsMax
    this.#running = running
  }

  async *rows(): AsyncGenerator<QueryValue[][]> {
    let left = this.#rowsMax
    try {
      for (
        let chunk = this.#first;
        chunk !== null && chunk.rowCount > 0;
        chunk = await this.#result.fetchChunk()
      ) {
        const rows = chunk.convertRows(toQueryValue)
        if (rows.length > left) {
          this.#isCut = true
          yield rows.slice(0, left)
          return
        }
        left -= rows.length
        yield rows
      }
    } catch (error) {
      throw this.#running.told(error)
    }
  }

  isCut(): boolean {
    return this.#isCut
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#running.close()
  }
}
