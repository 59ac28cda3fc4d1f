import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'
import type { Clock } from '../../schemas/ports/clock.ts'
import type { Disk } from '../../schemas/ports/disk.ts'
import { duckdb } from '../../schemas/sql/duckdb.ts'
import { duckdbError } from '../duckdb-error.ts'
import type { ImportColumn } from './columns.ts'
import { keepTornSql } from './torn.ts'

/** Memory that DuckDB takes before it spills to the scratch folder. */
const MEMORY_MAX = '500MB'
/** For what it cannot spill. */
const MEMORY_LARGE = '900MB'
const SAMPLES = 50
/** Fields within fields are looked into so deep. */
const DEPTH_MAX = 8
/** A statement that is to stop is interrupted again this often. */
const INTERRUPT_EVERY_MS = 50
const TELL_EVERY_MS = 200

/** Where staged rows go for a while. */
export interface Scratch {
  readonly disk: Disk
  /** Removes a folder with all that is in it; absent is no error. */
  removeTree(dir: string): Promise<void>
}

export interface EngineDeps {
  /** Its own: made, and removed at the end. */
  readonly dir: string
  readonly scratch: Scratch
  readonly clock: Clock
  /** Aborts when it is to stop; its reason is thrown. */
  readonly signal: AbortSignal
  /** Hears now and then which share of the file is read, from 0 to 1. */
  reading?(share: number): void
}

/** DuckDB at work on one file to be imported, with a scratch folder of its own. */
export class ImportEngine {
  readonly #instance: DuckDBInstance
  readonly #connection: DuckDBConnection
  readonly #deps: EngineDeps
  /** Whether a statement is going on. */
  #isRunning = false
  #cancelInterrupt = () => {}

  private constructor(instance: DuckDBInstance, connection: DuckDBConnection, deps: EngineDeps) {
    this.#instance = instance
    this.#connection = connection
    this.#deps = deps
    deps.signal.addEventListener('abort', this.#interrupt)
  }

  static async open(deps: EngineDeps): Promise<ImportEngine> {
    const { dir, scratch } = deps
    await scratch.removeTree(dir)
    await scratch.disk.makeDir(dir)
    const instance = await DuckDBInstance.create(':memory:', {
      memory_limit: MEMORY_MAX,
      temp_directory: dir,
      autoinstall_known_extensions: 'false',
    })
    const engine = new ImportEngine(instance, await instance.connect(), deps)
    try {
      await engine.run(
        "SET TimeZone = 'UTC'; SET enable_progress_bar = true; SET enable_progress_bar_print = false",
      )
    } catch (error) {
      await engine.close()
      throw error
    }
    return engine
  }

  /** What a statement answers, row by row. Throws the signal's reason when it is to stop: none is begun after. */
  async run(sql: string): Promise<readonly unknown[][]> {
    const { signal } = this.#deps
    signal.throwIfAborted()
    this.#isRunning = true
    try {
      const reader = await this.#connection.runAndReadAll(sql)
      return reader.getRowsJS() as unknown[][]
    } catch (error) {
      signal.throwIfAborted()
      throw duckdbError(error)
    } finally {
      this.#isRunning = false
      this.#cancelInterrupt()
    }
  }

  /** Ends the statement that is going on, which throws. One that only begins forgets that, so it is told until it ends. */
  readonly #interrupt = (): void => {
    if (!this.#isRunning) return
    this.#connection.interrupt()
    this.#cancelInterrupt = this.#deps.clock.after(INTERRUPT_EVERY_MS, this.#interrupt)
  }

  /** As `run`, for a statement that cannot spill: with more memory, and one thread to share it. */
  async runLarge(sql: string): Promise<void> {
    await this.run(`SET memory_limit = '${MEMORY_LARGE}'; SET threads = 1`)
    await this.run(sql)
    await this.run(`SET memory_limit = '${MEMORY_MAX}'; RESET threads`)
  }

  /** Tells how far the statement is, until what it returns is called. */
  tell(): () => void {
    const { clock } = this.#deps
    const reading = this.#deps.reading?.bind(this.#deps)
    if (reading === undefined) return () => {}
    let cancel = () => {}
    const look = () => {
      cancel = clock.after(TELL_EVERY_MS, look)
      // Before it is known it is less than 0.
      reading(Math.min(Math.max(this.#connection.progress.percentage / 100, 0), 1))
    }
    look()
    return () => cancel()
  }

  /** The columns of a Parquet file; fields within columns are as `host.name`. */
  async parquetColumns(path: string): Promise<ImportColumn[]> {
    const relation = `read_parquet(${duckdb.text(path)})`
    const leaves: Omit<ImportColumn, 'samples'>[] = []
    const describe = async (what: string, above: { name: string; field: string } | null, depth: number) => {
      for (const [own, type] of (await this.run(`DESCRIBE SELECT ${what} FROM ${relation}`)) as [
        string,
        string,
      ][]) {
        const name = above === null ? own : `${above.name}.${own}`
        const field = above === null ? duckdb.name(own) : `${above.field}[${duckdb.text(own)}]`
        if (isStruct(type) && depth < DEPTH_MAX)
          await describe(`unnest(${field})`, { name, field }, depth + 1)
        else leaves.push({ name, type, ...(above !== null && { field }) })
      }
    }
    await describe('*', null, 1)
    const columns = [...new Map(leaves.toReversed().map((leaf) => [leaf.name, leaf])).values()].reverse()
    const texts = columns.map(({ name, field }) => `${field ?? duckdb.name(name)}::VARCHAR`)
    const rows = (await this.run(`SELECT ${texts.join(', ')} FROM ${relation} LIMIT ${SAMPLES}`)) as (
      | string
      | null
    )[][]
    return columns.map((column, i) => {
      const samples = rows.map((row) => row[i]).filter((value) => value !== null && value !== undefined)
      return { ...column, samples }
    })
  }

  /** Lines of a text that are refused before its rows are made: `lines` is a relation with `line`, the number, and `content`. */
  async keepTorn(lines: string, why: string): Promise<void> {
    await this.run(keepTornSql(lines, why))
  }

  /** Of a file in its scratch folder, which goes with it. */
  path(name: string): string {
    return `${this.#deps.dir}/${name}`
  }

  /** The bytes of a file in its scratch folder, which is removed. */
  async take(path: string): Promise<Uint8Array> {
    const { disk } = this.#deps.scratch
    const bytes = (await disk.readFile(path))!
    await disk.remove(path)
    return bytes
  }

  async close(): Promise<void> {
    const { signal, scratch, dir } = this.#deps
    signal.removeEventListener('abort', this.#interrupt)
    this.#connection.closeSync()
    this.#instance.closeSync()
    await scratch.removeTree(dir)
  }
}

/** Whether a column has fields, and each row one of them each. */
const isStruct = (type: string) => type.startsWith('STRUCT(') && !type.endsWith(']')
