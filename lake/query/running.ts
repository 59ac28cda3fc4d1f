import { TidemarkError } from '../../schemas/errors.ts'
import type { Snapshot } from '../delta/port.ts'
import { bucketPath } from '../store/bucket-reads.ts'
import {
  checkAsOf,
  pathAt,
  type QueryAsOf,
  type QueryTable,
  type ReadTable,
  readTable,
  snapshotAt,
} from './catalog.ts'
import type {
  AskedSql,
  AskedStatements,
  Begin,
  BoundTable,
  Column,
  NamedSchema,
  Piece,
  ProcessEnd,
  QueryProcess,
} from './process.ts'
import type { QueryAnswer, QueryDeps, QueryLimits, QueryRequest } from './query-types.ts'
import { fileError, memoryError } from './said.ts'
import type { QueryValue } from './values.ts'

/** How often the size of the file that a query writes is looked at. */
const FILE_LOOK_MS = 100

/** One query at work, with a process and a scratch folder of its own, which are gone when it is closed. */
export class Running {
  readonly #process: QueryProcess
  readonly #dir: string
  readonly #limits: QueryLimits
  readonly #deps: QueryDeps
  readonly #release: () => void
  readonly #output: string | null
  #cause: 'time' | 'stopped' | 'file' | null = null
  #closed: Promise<void> | null = null

  private constructor(
    dir: string,
    limits: QueryLimits,
    deps: QueryDeps,
    { signal, output, done }: { signal: AbortSignal; output: string | null; done(): void },
  ) {
    this.#dir = dir
    this.#limits = limits
    this.#deps = deps
    this.#output = output
    this.#process = deps.beginProcess(limits.memoryBytes)
    const { calls, ended } = this.#process
    void ended.then((end) => calls.end(this.#endError(end)))
    calls.on('bucket is not read', (line: string) => deps.reads?.tell(line))
    const stop = () => this.#end('stopped')
    signal.addEventListener('abort', stop)
    const cancel = deps.clock.after(limits.timeMs, () => this.#end('time'))
    this.#release = () => {
      cancel()
      signal.removeEventListener('abort', stop)
      done()
    }
    if (signal.aborted) stop()
  }

  /** `done` is called when nothing of it is left; `output` is the file that it is to write. */
  static async start(
    limits: QueryLimits,
    deps: QueryDeps,
    { output, ...rest }: { signal: AbortSignal; output: string | null; done(): void },
  ): Promise<Running> {
    const dir = `${deps.scratchDir}/${deps.random.hex(8)}`
    let running: Running
    try {
      await deps.disk.makeDir(dir)
      running = new Running(dir, limits, deps, { output, ...rest })
    } catch (error) {
      rest.done()
      throw error
    }
    await running.only(async () => {
      const reads = (await deps.reads?.given()) ?? null
      const begin: Begin = { dir, output, memoryBytes: limits.memoryBytes, reads }
      await running.#process.calls.call('begin', begin)
    })
    return running
  }

  /** What `work` of this query comes to. Where that fails the query is over. */
  async only<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      await this[Symbol.asyncDispose]()
      if (this.#output !== null) await this.#deps.disk.remove(this.#output)
      throw error
    }
  }

  async answer(request: QueryRequest, tables: readonly QueryTable[]): Promise<QueryAnswer> {
    const read = this.#offer(tables, request.asOf)
    const { calls } = this.#process
    const asked: AskedSql = { sql: request.sql, rowsMax: this.#rowsMax(request) }
    const { columns, first } = await calls.call<{ columns: Column[]; first: Piece }>('answer', asked)
    let isCut = false
    async function* rows(): AsyncGenerator<QueryValue[][]> {
      for (let piece = first; ; piece = await calls.call<Piece>('rows')) {
        isCut = piece.isCut
        yield JSON.parse(piece.rows)
        if (piece.isLast) return
      }
    }
    const close = () => this[Symbol.asyncDispose]()
    return { columns, tables: read, rows, isCut: () => isCut, [Symbol.asyncDispose]: close }
  }

  async writeParquet(
    request: QueryRequest,
    tables: readonly QueryTable[],
  ): Promise<{ tables: readonly ReadTable[]; isCut: boolean }> {
    const read = this.#offer(tables, request.asOf)
    const asked: AskedSql = { sql: request.sql, rowsMax: this.#rowsMax(request) }
    const stop = this.#watchFile()
    try {
      const isCut = await this.#process.calls.call<boolean>('write parquet', asked)
      if (await this.#isTooLong()) throw fileError(this.#limits.fileBytesMax)
      return { isCut, tables: read }
    } finally {
      stop()
    }
  }

  /** DuckDB has no limit for a file that it writes. */
  #watchFile(): () => void {
    let cancel = () => {}
    const look = () => {
      cancel = this.#deps.clock.after(FILE_LOOK_MS, async () => {
        if (await this.#isTooLong().catch(() => false)) this.#end('file')
        else if (this.#closed === null) look()
      })
    }
    look()
    return () => cancel()
  }

  async #isTooLong(): Promise<boolean> {
    return ((await this.#deps.disk.stat(this.#output!))?.size ?? 0) > this.#limits.fileBytesMax
  }

  runOver(asked: AskedStatements): Promise<QueryValue[][][]> {
    return this.#process.calls.call('run over', asked)
  }

  #rowsMax({ rowsMax = Number.POSITIVE_INFINITY }: QueryRequest): number {
    return Math.min(rowsMax, this.#limits.rowsMax)
  }

  /** Lets the process ask for the tables that the query names. Returns those that it was given, in the end. */
  #offer(tables: readonly QueryTable[], asOf: QueryAsOf): readonly ReadTable[] {
    const { calls } = this.#process
    const snapshots = new Map<QueryTable, Snapshot | null>()
    const read: ReadTable[] = []
    // A version has the columns of its own definition.
    const schemaOf = (one: QueryTable) => snapshots.get(one)?.schema ?? one.schema
    calls.on('schemas', async (names: readonly string[]): Promise<NamedSchema[]> => {
      const named = tables.filter(({ name }) => names.includes(name.toLowerCase()))
      checkAsOf(asOf, named)
      for (const one of named) snapshots.set(one, await snapshotAt(one, asOf))
      return tables.map((one) => ({ name: one.name, schema: schemaOf(one) }))
    })
    calls.on('files', async (readsBucket: boolean): Promise<BoundTable[]> => {
      if (readsBucket) this.#deps.reads?.tell('')
      const bound: BoundTable[] = []
      for (const one of tables) {
        const snapshot = snapshots.get(one)
        const paths = snapshot === undefined ? null : await pathsOf(one, snapshot, readsBucket)
        bound.push({ name: one.name, schema: schemaOf(one), paths })
        if (snapshot !== undefined) read.push(readTable(one, snapshot))
      }
      return bound
    })
    return read
  }

  #end(cause: 'time' | 'stopped' | 'file'): void {
    this.#cause ??= cause
    this.#process.kill()
  }

  #endError(end: ProcessEnd): TidemarkError {
    const { timeMs, memoryBytes, fileBytesMax } = this.#limits
    if (this.#cause === 'file') return fileError(fileBytesMax)
    if (this.#cause === 'time')
      return new TidemarkError('E_QUERY_LIMIT', `the query took longer than ${timeMs / 1_000} s`)
    if (end.by === 'memory') return memoryError(memoryBytes)
    if (end.by === 'caller') return new TidemarkError('E_CANCELLED', 'the query was stopped')
    return new TidemarkError('E_ENGINE', `the process of the query ended by itself: ${end.said}`, {
      hint: 'ask again, or ask another way',
    })
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async #close(): Promise<void> {
    this.#process.kill()
    await this.#process.ended
    try {
      await this.#deps.removeTree(this.#dir)
    } finally {
      this.#release()
    }
  }
}

/** Where the files of a table are: in the bucket, or as verified files of this machine. */
async function pathsOf(
  { table }: QueryTable,
  snapshot: Snapshot | null,
  readsBucket: boolean,
): Promise<string[]> {
  const paths: string[] = []
  for (const file of snapshot?.files.values() ?? [])
    paths.push(
      (readsBucket ? bucketPath(table.url(file)) : null) ?? (await pathAt(table, file, snapshot!.version)),
    )
  return paths
}
