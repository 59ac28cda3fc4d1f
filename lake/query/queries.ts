import { type DuckDBConnection, DuckDBInstance, type DuckDBResult } from '@duckdb/node-api'
import { describeError, TidemarkError } from '../../schemas/errors.ts'
import type { Clock, Random } from '../../schemas/ports/clock.ts'
import type { Disk } from '../../schemas/ports/disk.ts'
import { duckdb } from '../../schemas/sql/duckdb.ts'
import {
  checkAsOf,
  type QueryAsOf,
  type QueryTable,
  type ReadTable,
  readTable,
  snapshotAt,
  tableSql,
  unnamedSql,
} from './catalog.ts'
import { type QueryValue, toQueryValue } from './values.ts'

/**
 * SQL over the lake's tables, for people. DuckDB runs it in an instance of its own that can do nothing else:
 *
 *     the tables that the query names ──▶ their files at one version, verified ──▶ views over exactly these
 *     no other file, no network, no extension, no setting can be changed ──▶ one SELECT ──▶ rows, as long as the limits allow
 *
 * A statement other than SELECT is refused before it runs: a COPY could else write over a file of the lake.
 */
export interface QueryLimits {
  readonly timeMs: number
  readonly memoryBytes: number
  /** Rows of an answer; what is beyond is cut off, and said so. */
  readonly rowsMax: number
}

export interface QueryDeps {
  readonly clock: Clock
  readonly random: Random
  readonly disk: Disk
  /** Where what does not fit into memory goes for a while: a folder that belongs to queries alone. */
  readonly scratchDir: string
  removeTree(dir: string): Promise<void>
}

export interface QueryRequest {
  readonly sql: string
  readonly asOf: QueryAsOf
  /** Fewer rows than the limit; absent: as many. */
  readonly rowsMax?: number
}

/** A relation over files, as SQL that names them. */
export interface Relation {
  readonly name: string
  readonly sql: string
  readonly paths: readonly string[]
}

/** An answer while it is read. It must be closed. */
export interface QueryAnswer extends AsyncDisposable {
  readonly columns: readonly { readonly name: string; readonly type: string }[]
  readonly tables: readonly ReadTable[]
  /** Some rows at a time. Throws `E_QUERY_LIMIT` where the time or the memory ends. */
  rows(): AsyncIterable<QueryValue[][]>
  /** Whether rows were cut off, as far as they were read. */
  isCut(): boolean
}

/** Queries at work at once; a further one is refused. */
const QUERIES_MAX = 2
const SQL_CHARACTERS_MAX = 100_000
const NO_EXTENSIONS = { autoinstall_known_extensions: 'false', autoload_known_extensions: 'false' }
/** DuckDB's number of a SELECT. */
const SELECT = 1

export class LakeQueries {
  readonly #tables: readonly QueryTable[]
  readonly #limits: QueryLimits
  readonly #deps: QueryDeps
  #running = 0

  constructor(tables: readonly QueryTable[], limits: QueryLimits, deps: QueryDeps) {
    this.#tables = tables
    this.#limits = limits
    this.#deps = deps
  }

  get limits(): QueryLimits {
    return this.#limits
  }

  /**
   * Runs a query until its first rows are there. Throws `E_QUERY` for one that is wrong or would do more than read, `E_QUERY_LIMIT`
   * beyond a limit, and what reading the tables throws. `signal` ends it.
   */
  async run(request: QueryRequest, signal: AbortSignal): Promise<QueryAnswer> {
    const running = await this.#begin(signal)
    try {
      return await running.answer(request, this.#tables)
    } catch (error) {
      await running[Symbol.asyncDispose]()
      throw running.told(error)
    }
  }

  /** The same, with the rows in a Parquet file at `path`. Returns what was read, and whether rows were cut off. */
  async writeParquet(
    request: QueryRequest,
    path: string,
    signal: AbortSignal,
  ): Promise<{ tables: readonly ReadTable[]; isCut: boolean }> {
    await using running = await this.#begin(signal)
    try {
      return await running.writeParquet(request, this.#tables, path)
    } catch (error) {
      throw running.told(error)
    }
  }

  /**
   * Runs `statements` of this program's own, after `first`, over relations of verified files, which they name. Returns the rows of
   * each. Throws as `run` does.
   */
  async runOver(
    relations: readonly Relation[],
    first: string,
    statements: readonly string[],
    signal: AbortSignal,
  ): Promise<QueryValue[][][]> {
    await using running = await this.#begin(signal)
    try {
      return await running.runOver(relations, first, statements)
    } catch (error) {
      throw running.told(error)
    }
  }

  async #begin(signal: AbortSignal): Promise<Running> {
    if (this.#running >= QUERIES_MAX)
      throw new TidemarkError('E_QUERY_LIMIT', `${QUERIES_MAX} queries are at work already`)
    this.#running += 1
    return Running.start(this.#limits, this.#deps, signal, () => {
      this.#running -= 1
    })
  }
}

/** One query at work, with an instance of DuckDB and a scratch folder of its own. */
class Running {
  readonly #instance: DuckDBInstance
  readonly #connection: DuckDBConnection
  readonly #limits: QueryLimits
  readonly #ended: () => Promise<void>
  #cause: 'time' | 'stopped' | null = null

  private constructor(
    instance: DuckDBInstance,
    connection: DuckDBConnection,
    limits: QueryLimits,
    { clock, signal, ended }: { clock: Clock; signal: AbortSignal; ended(): Promise<void> },
  ) {
    this.#instance = instance
    this.#connection = connection
    this.#limits = limits
    const interrupt = (cause: 'time' | 'stopped') => {
      this.#cause ??= cause
      connection.interrupt()
    }
    const stop = () => interrupt('stopped')
    signal.addEventListener('abort', stop)
    if (signal.aborted) this.#cause = 'stopped'
    const cancel = clock.after(limits.timeMs, () => interrupt('time'))
    this.#ended = async () => {
      cancel()
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
      return new Running(instance, connection, limits, { clock, signal, ended })
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
    const names = await namesIn(sql, tables)
    const named = tables.filter(({ name }) => names.has(name.toLowerCase()))
    checkAsOf(asOf, named)
    const allowed: string[] = output === undefined ? [] : [output]
    const views: string[] = []
    const read: ReadTable[] = []
    for (const one of tables) {
      if (!named.includes(one)) {
        views.push(viewSql(one.name, unnamedSql(one)))
        continue
      }
      const snapshot = await snapshotAt(one, asOf)
      const paths: string[] = []
      for (const file of snapshot?.files.values() ?? []) paths.push(await one.table.localPath(file))
      allowed.push(...paths)
      views.push(viewSql(one.name, tableSql(snapshot?.schema ?? one.schema, paths)))
      read.push(readTable(one, snapshot))
    }
    await this.#close(allowed, views)
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

/**
 * The names of tables in a query, in lower case. Throws `E_QUERY` for anything but one SELECT. An instance that has nothing and may
 * nothing looks at it: some statements act while they are only prepared.
 */
async function namesIn(sql: string, tables: readonly QueryTable[]): Promise<ReadonlySet<string>> {
  const refuse = (what: string) =>
    new TidemarkError('E_QUERY', `${what}; a query is one SELECT`, { field: 'sql' })
  if (sql.length > SQL_CHARACTERS_MAX)
    throw new TidemarkError('E_QUERY', `a query has at most ${SQL_CHARACTERS_MAX} characters`, {
      field: 'sql',
    })
  const instance = await DuckDBInstance.create(':memory:', {
    ...NO_EXTENSIONS,
    threads: '1',
    enable_external_access: 'false',
  })
  const connection = await instance.connect()
  try {
    await connection.run('SET lock_configuration = true')
    // Before they are views: of those DuckDB names what they read.
    const names = new Set(connection.getTableNames(sql, false).map((name) => name.toLowerCase()))
    for (const { name, schema } of tables) await connection.run(viewSql(name, tableSql(schema, [])))
    const statements = await extracted(connection, sql)
    if (statements === null) throw refuse('there is nothing to run')
    if (statements.count > 1) throw refuse('these are several statements')
    const prepared = await statements.prepare(0)
    const { statementType, parameterCount } = prepared
    prepared.destroySync()
    if (statementType !== SELECT) throw refuse('this does something else than to read')
    if (parameterCount > 0) throw refuse('a parameter has no value')
    return names
  } finally {
    connection.closeSync()
    instance.closeSync()
  }
}

/** Null where there are none: DuckDB then fails without a word. */
async function extracted(connection: DuckDBConnection, sql: string) {
  try {
    return await connection.extractStatements(sql)
  } catch (error) {
    if (describeError(error).includes('Parser Error')) throw error
    return null
  }
}

function viewSql(name: string, sql: string): string {
  return `CREATE VIEW ${duckdb.name(name)} AS ${sql}`
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
