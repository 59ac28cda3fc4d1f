import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'
import type { Calls } from '../../schemas/calls.ts'
import { duckdb } from '../../schemas/sql/duckdb.ts'
import { BucketReads } from '../store/bucket-reads.ts'
import { tableSql, unnamedSql } from './catalog.ts'
import { checkOneSelect, emptyInstance, NO_EXTENSIONS, viewSql } from './one-select.ts'
import type { AskedSql, AskedStatements, Begin, BoundTable, NamedSchema } from './process.ts'
import { RowPieces } from './row-pieces.ts'
import { queryError, spillBytes } from './said.ts'
import { type QueryValue, toQueryValue } from './values.ts'

/** What the process does besides answering. */
export interface AnsweringDeps {
  /** Told what the query may leave on the disk. */
  begun(begin: Begin): void
  /** Gives back the memory of what is not in use any more: V8 does not know how much of it is DuckDB's. */
  freeMemory(): void
}

/** Answers the one query of this process, by all that can be had ready before it is asked; it is asked over `calls`. */
export function answerQuery(calls: Calls, { begun, freeMemory }: AnsweringDeps): void {
  const ready = Promise.all([emptyInstance(), readyInstance()])
  let answering: Answering
  const on = <T>(name: string, answer: (argument: T) => Promise<unknown>) =>
    calls.on(name, async (argument: T) => {
      try {
        return await answer(argument)
      } catch (error) {
        throw queryError(error, answering?.begin.memoryBytes ?? 0)
      }
    })
  on('begin', async (begin: Begin) => {
    begun(begin)
    const [empty, connection] = await ready
    answering = new Answering(begin, { empty, connection, calls, freeMemory })
    await answering.open()
  })
  on('answer', (asked: AskedSql) => answering.answer(asked))
  on('rows', () => answering.pieces!.next())
  on('write parquet', (asked: AskedSql) => answering.writeParquet(asked))
  on('run over', (asked: AskedStatements) => answering.runOver(asked))
}

async function readyInstance(): Promise<DuckDBConnection> {
  const instance = await DuckDBInstance.create(':memory:', { threads: '2', ...NO_EXTENSIONS })
  const connection = await instance.connect()
  await connection.run("SET TimeZone = 'UTC'")
  return connection
}

interface Ready {
  readonly empty: DuckDBConnection
  readonly connection: DuckDBConnection
  readonly calls: Calls
  freeMemory(): void
}

/** An instance of DuckDB that can do nothing but answer one query. */
class Answering {
  readonly begin: Begin
  readonly #ready: Ready
  readonly #connection: DuckDBConnection
  readonly #calls: Calls
  #readsBucket = false
  pieces: RowPieces | null = null

  constructor(begin: Begin, ready: Ready) {
    this.begin = begin
    this.#ready = ready
    this.#connection = ready.connection
    this.#calls = ready.calls
  }

  async open(): Promise<void> {
    const { dir, memoryBytes, reads } = this.begin
    await this.#connection.run(`SET memory_limit = '${memoryBytes}B'`)
    await this.#connection.run(`SET temp_directory = ${duckdb.text(dir)}`)
    // After the folder, by which DuckDB sets it anew.
    await this.#connection.run(`SET max_temp_directory_size = '${spillBytes(memoryBytes)}B'`)
    if (reads === null) return
    const bucket = BucketReads.of(reads, (line) => this.#calls.tell('bucket is not read', line))
    this.#readsBucket = (await bucket.open(this.#connection)) !== null
  }

  async answer({ sql, rowsMax }: AskedSql) {
    await this.#bind(sql)
    const result = await this.#connection.stream(sql)
    const types = result.columnTypes()
    const columns = result.deduplicatedColumnNames().map((name, i) => ({ name, type: String(types[i]) }))
    this.pieces = new RowPieces(result, rowsMax, this.#ready.freeMemory)
    return { columns, first: await this.pieces.next() }
  }

  /** Returns whether rows were cut off. */
  async writeParquet({ sql, rowsMax }: AskedSql): Promise<boolean> {
    await this.#bind(sql)
    const copy = (rows: number) => this.#connection.run(copySql(sql, this.begin.output!, rows))
    const isCut = (await copy(rowsMax + 1)).rowsChanged > rowsMax
    if (isCut) await copy(rowsMax)
    return isCut
  }

  async runOver({ relations, first, statements }: AskedStatements): Promise<QueryValue[][][]> {
    await this.#close(
      relations.flatMap(({ paths }) => paths),
      relations.map(({ name, sql }) => viewSql(name, sql)),
    )
    await this.#connection.run(first)
    const all: QueryValue[][][] = []
    for (const statement of statements) {
      const result = await this.#connection.runAndReadAll(statement)
      all.push(result.convertRows(toQueryValue) as QueryValue[][])
    }
    return all
  }

  /** Makes the tables that the query names views over their files, and everything else impossible. */
  async #bind(sql: string): Promise<void> {
    await checkOneSelect(this.#ready.empty, sql, (names) => this.#calls.call<NamedSchema[]>('schemas', names))
    const tables = await this.#calls.call<BoundTable[]>('files', this.#readsBucket)
    const { output } = this.begin
    await this.#close(
      [...(output === null ? [] : [output]), ...tables.flatMap(({ paths }) => paths ?? [])],
      tables.map(({ name, schema, paths }) =>
        viewSql(name, paths === null ? unnamedSql({ name, schema }) : tableSql(schema, paths)),
      ),
    )
  }

  /** Makes the views, and from then on nothing but the files at `allowed` can be reached. */
  async #close(allowed: readonly string[], views: readonly string[]): Promise<void> {
    await this.#connection.run(`SET allowed_paths = [${allowed.map(duckdb.text).join(', ')}]`)
    for (const view of views) await this.#connection.run(view)
    await this.#connection.run('SET enable_external_access = false')
    await this.#connection.run('SET lock_configuration = true')
  }
}

/** Writes the first rows of a query as a file; its own last line may be a comment. */
function copySql(sql: string, path: string, rows: number): string {
  const query = sql.trimEnd().replace(/;$/, '')
  return `COPY (SELECT * FROM (${query}\n) LIMIT ${rows}) TO ${duckdb.text(path)} (FORMAT parquet, COMPRESSION zstd, USE_TMP_FILE false)`
}
