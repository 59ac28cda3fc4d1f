import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'
import { type Dataset, nameColumns } from '../../schemas/dataset.ts'
import { nameFault } from '../../schemas/name.ts'
import type { Clock } from '../../schemas/ports/clock.ts'
import type { Disk } from '../../schemas/ports/disk.ts'
import { duckdb } from '../../schemas/sql/duckdb.ts'
import { DAY_MS } from '../../schemas/time.ts'
import { CORRECTIONS_MAX, type Correction } from '../correct.ts'
import type { FileAbout } from '../delta/port.ts'
import { duckdbError } from '../duckdb-error.ts'
import type { ImportColumn, ImportSource } from './columns.ts'
import { type CopyStats, dateAbout, timesSql } from './date-about.ts'
import { dateSql, type Ranks, ranksOf } from './date-sql.ts'
import { type Direct, lookAtDates } from './direct.ts'
import type { Meaning } from './meaning.ts'
import { fractionsSql, NO_ROWS, type Reading, stagedSql } from './rows-sql.ts'
import { keepTornSql, tornSql } from './torn.ts'

/** Memory that DuckDB takes before it spills to the scratch folder. */
const MEMORY_MAX = '500MB'
/** For what it cannot spill. */
const MEMORY_LARGE = '900MB'
const ROW_GROUP_ROWS = 122_880
/** Refused rows that are kept of one file. */
const KEPT_MAX = 100_000
const SAMPLES = 50
/** A statement that is to stop is interrupted again this often. */
const INTERRUPT_EVERY_MS = 50
const TELL_EVERY_MS = 200
/** Names in one statement. */
const NAMES_AT_ONCE = 500
/** Among so many rows there are most often as many to show as are asked for. */
const ROWS_TO_SHOW = 10_000

/** Rows refused for one reason. */
export interface Refusal {
  readonly why: string
  readonly rows: number
  /** Where the first of them is, from 1: its row, or its line where it is torn. */
  readonly first: number
  readonly unit: 'row' | 'line'
}

/** What became of a file's rows. */
export interface Staged {
  readonly accepted: number
  readonly refused: readonly Refusal[]
  /** UTC dates of the accepted rows, ascending. */
  readonly dates: readonly string[]
}

/** A data file of messages, not yet stored. */
export interface DateFile {
  readonly bytes: Uint8Array
  readonly about: FileAbout
}

/** Where staged rows go for a while. */
export interface Scratch {
  readonly disk: Disk
  /** Removes a folder with all that is in it; absent is no error. */
  removeTree(dir: string): Promise<void>
}

export interface StageDeps {
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
export class ImportStage {
  readonly #connection: DuckDBConnection
  readonly #instance: DuckDBInstance
  readonly #dir: string
  readonly #scratch: Scratch
  readonly #signal: AbortSignal
  readonly #clock: Clock
  readonly #reading: ((share: number) => void) | null
  /** Whether a statement is going on. */
  #isRunning = false
  #cancelInterrupt = () => {}
  /** Condition on staged rows that have no name which no message may have. */
  #namesRight = 'true'
  /** See `dateSql`. */
  readonly #ranks: (Ranks | null)[] = []
  #isEmpty = false
  #unit: Refusal['unit'] = 'row'
  /** A file that is read where it lies, and which of its rows the dates have; null where rows are staged in files of their own. */
  #direct: Direct | null = null

  private constructor(instance: DuckDBInstance, connection: DuckDBConnection, deps: StageDeps) {
    this.#instance = instance
    this.#connection = connection
    this.#dir = deps.dir
    this.#scratch = deps.scratch
    this.#signal = deps.signal
    this.#clock = deps.clock
    this.#reading = deps.reading?.bind(deps) ?? null
    this.#signal.addEventListener('abort', this.#interrupt)
  }

  static async open(deps: StageDeps): Promise<ImportStage> {
    const { dir, scratch } = deps
    await scratch.removeTree(dir)
    await scratch.disk.makeDir(dir)
    const instance = await DuckDBInstance.create(':memory:', {
      memory_limit: MEMORY_MAX,
      temp_directory: dir,
      autoinstall_known_extensions: 'false',
    })
    const connection = await instance.connect()
    const stage = new ImportStage(instance, connection, deps)
    try {
      await stage.run(
        "SET TimeZone = 'UTC'; SET enable_progress_bar = true; SET enable_progress_bar_print = false",
      )
    } catch (error) {
      await stage.close()
      throw error
    }
    return stage
  }

  /** Ends the statement that is going on, which throws. One that only begins forgets that, so it is told until it ends. */
  readonly #interrupt = (): void => {
    if (!this.#isRunning) return
    this.#connection.interrupt()
    this.#cancelInterrupt = this.#clock.after(INTERRUPT_EVERY_MS, this.#interrupt)
  }

  /** The columns of a Parquet file. */
  async parquetColumns(path: string): Promise<ImportColumn[]> {
    const relation = `read_parquet(${duckdb.text(path)})`
    const described = (await this.run(`DESCRIBE SELECT * FROM ${relation}`)) as [string, string][]
    const names = described.map(([name]) => `${duckdb.name(name)}::VARCHAR`)
    const rows = (await this.run(`SELECT ${names.join(', ')} FROM ${relation} LIMIT ${SAMPLES}`)) as (
      | string
      | null
    )[][]
    return described.map(([name, type], i) => {
      const samples = rows.map((row) => row[i]).filter((value) => value !== null && value !== undefined)
      return { name, type, samples }
    })
  }

  /** Of a file beside the staged rows, which goes with them. */
  path(name: string): string {
    return `${this.#dir}/${name}`
  }

  /** Reads every row, and sorts out those that are no messages. */
  async stage(path: string, source: ImportSource, how: Reading): Promise<Staged> {
    this.#unit = source.json === 'lines' ? 'line' : 'row'
    const stopTelling = this.#tell()
    try {
      if (source.format === 'parquet')
        this.#direct = await lookAtDates((sql) => this.run(sql), path, source, how)
      if (this.#direct === null) {
        const [[read]] = (await this.run(
          `COPY (${stagedSql(path, source, how)}) TO ${duckdb.text(this.#staged())} (FORMAT parquet, COMPRESSION lz4, PARTITION_BY (day))`,
        )) as [[bigint]]
        this.#isEmpty = read === 0n
      }
    } finally {
      stopTelling()
    }
    const faulty = await this.#refused()
    const accepted = faulty.length === 0 ? 'true' : 'why IS NULL'
    const refused = [
      ...faulty,
      ...(await this.#tornRows()),
      ...(await this.#wrongNames(how.dataset, accepted)),
    ]
    const dates = await this.#dates()
    return {
      accepted: dates.reduce((sum, [, rows]) => sum + rows, 0),
      refused: refused.sort((a, b) => b.rows - a.rows),
      dates: dates.map(([day]) => day),
    }
  }

  /** The dates of the accepted rows with how many there are of each, ascending. */
  async #dates(): Promise<readonly (readonly [string, number])[]> {
    if (this.#direct !== null && this.#namesRight === 'true')
      return [...this.#direct.days]
        .map(([day, { count }]) => [day, count] as const)
        .sort(([a], [b]) => (a < b ? -1 : 1))
    return (await this.run(
      `SELECT day, count(*)::DOUBLE FROM ${this.#rows()} WHERE why IS NULL AND ${this.#namesRight} GROUP BY day ORDER BY day`,
    )) as [string, number][]
  }

  /** Tells how far the statement is, until called. */
  #tell(): () => void {
    const reading = this.#reading
    if (reading === null) return () => {}
    let cancel = () => {}
    const look = () => {
      cancel = this.#clock.after(TELL_EVERY_MS, look)
      // Before it is known it is less than 0.
      reading(Math.min(Math.max(this.#connection.progress.percentage / 100, 0), 1))
    }
    look()
    return () => cancel()
  }

  #staged(): string {
    return `${this.#dir}/rows`
  }

  /** The staged rows, as a relation. */
  #rows(): string {
    if (this.#direct !== null) return this.#direct.rows(null)
    if (this.#isEmpty) return NO_ROWS
    return `read_parquet(${duckdb.text(`${this.#staged()}/*/*.parquet`)}, hive_partitioning = true, hive_types = {'day': VARCHAR})`
  }

  async #refused(): Promise<Refusal[]> {
    if (this.#direct?.isRefused === false) return []
    const rows = (await this.run(
      `SELECT why, count(*)::DOUBLE, min(r)::DOUBLE FROM ${this.#rows()} WHERE why IS NOT NULL GROUP BY why`,
    )) as [string, number, number][]
    return rows.map(([why, rows, first]) => ({ why, rows, first, unit: this.#unit }))
  }

  /** Lines of a text that are refused before its rows are made: `lines` is a relation with `line`, the number, and `content`. */
  async keepTorn(lines: string, why: string): Promise<void> {
    await this.run(keepTornSql(lines, why))
  }

  /** Rows of a CSV file that have other than the header's fields, and what is torn in another way. */
  async #tornRows(): Promise<Refusal[]> {
    const torn = await tornSql((sql) => this.run(sql))
    if (torn === null) return []
    const rows = (await this.run(
      `SELECT why, count(DISTINCT line)::DOUBLE, min(line)::DOUBLE FROM (${torn}) GROUP BY why`,
    )) as [string, number, number][]
    return rows.map(([why, rows, first]) => ({ why, rows, first, unit: 'line' }))
  }

  /** `accepted` holds for rows without another fault: where all are, names alone are read. */
  async #wrongNames(dataset: Dataset, accepted: string): Promise<Refusal[]> {
    const refusals: Refusal[] = []
    if (this.#isEmpty) return []
    for (const [i, column] of nameColumns(dataset).entries()) {
      const read = await this.run(`SELECT DISTINCT n${i} FROM ${this.#rows()} WHERE ${accepted}`)
      const names = read.map(([name]) => name as string)
      const ranks = ranksOf(`rank${i}`, names)
      if (ranks !== null) await this.run(ranks.sql)
      this.#ranks[i] = ranks
      const wrong = names.flatMap((name) => {
        const fault = nameFault(name)
        return fault === null ? [] : [`(${duckdb.text(name)}, ${duckdb.text(fault)})`]
      })
      if (wrong.length === 0) continue
      await this.run(`CREATE TEMP TABLE wrong${i} (name VARCHAR, fault VARCHAR)`)
      for (let from = 0; from < wrong.length; from += NAMES_AT_ONCE)
        await this.run(`INSERT INTO wrong${i} VALUES ${wrong.slice(from, from + NAMES_AT_ONCE).join()}`)
      const found = (await this.run(
        `SELECT fault, count(*)::DOUBLE, min(r)::DOUBLE FROM ${this.#rows()} JOIN wrong${i} ON n${i} = name WHERE why IS NULL AND ${this.#namesRight} GROUP BY fault ORDER BY 3`,
      )) as [string, number, number][]
      for (const [fault, rows, first] of found)
        refusals.push({ why: `${column} ${fault}`, rows, first, unit: this.#unit })
      this.#namesRight += ` AND n${i} NOT IN (SELECT name FROM wrong${i})`
    }
    return refusals
  }

  /** The first rows as they would be taken: names, time in milliseconds, gauges. */
  async firstRows(dataset: Dataset, count: number): Promise<(string | number | null)[][]> {
    const columns = [
      ...nameColumns(dataset).map((_, i) => `n${i}`),
      'ms::DOUBLE',
      ...dataset.gauges.map((_, i) => `g${i}::DOUBLE`),
    ]
    const from = async (rows: string) =>
      (await this.run(
        `SELECT ${columns.join(', ')} FROM ${rows} WHERE why IS NULL AND ${this.#namesRight} ORDER BY r LIMIT ${count}`,
      )) as (string | number | null)[][]
    const first = this.#direct === null ? [] : await from(this.#direct.rows({ first: 1, last: ROWS_TO_SHOW }))
    return first.length === count ? first : await from(this.#rows())
  }

  /** Gauges in percent of columns of which the accepted rows have broken numbers, and none above 1. */
  async fractions(dataset: Dataset, meaning: Meaning): Promise<string[]> {
    if (this.#isEmpty) return []
    const [found] = await this.run(
      `SELECT ${fractionsSql(dataset, meaning)} FROM ${this.#rows()} WHERE why IS NULL`,
    )
    return dataset.gauges.filter((_, i) => found![i] === true).map(({ name }) => name)
  }

  /** The accepted rows as corrections, at most `CORRECTIONS_MAX` and one more; what the file does not have is kept as it is. */
  async corrections({ gauges, attributes, names }: Meaning): Promise<Correction[]> {
    if (this.#isEmpty) return []
    const columns = [
      ...names.map((_, i) => `n${i}`),
      ...gauges.map((_, i) => `g${i}::DOUBLE`),
      ...attributes.map((_, i) => `a${i}::VARCHAR`),
    ]
    const rows = (await this.run(
      `SELECT r::DOUBLE, ms::DOUBLE, ag, sq::DOUBLE, ${columns.join(', ')} FROM ${this.#rows()} WHERE why IS NULL AND ${this.#namesRight} ORDER BY r LIMIT ${CORRECTIONS_MAX + 1}`,
    )) as [number, number, string | null, number | null, ...unknown[]][]
    return rows.map(([row, timeMs, agent, seq, ...values]) => {
      const [g, a] = [names.length, names.length + gauges.length]
      const isNumbered = agent !== null && seq !== null
      return {
        row,
        timeMs,
        agent: isNumbered ? agent : null,
        seq: isNumbered ? seq : null,
        names: values.slice(0, g) as string[],
        gauges: gauges.map((origin, i) =>
          origin === null ? null : ((values[g + i] as number | null) ?? Number.NaN),
        ),
        attributes: attributes.map((origin, i) =>
          origin === null ? undefined : (values[a + i] as string | null),
        ),
      }
    })
  }

  /** Writes the refused rows, or as many as are kept, as CSV to `path`: row, reason, what the row holds as JSON, or the torn line. */
  async keepRefused(path: string, dataset: Dataset): Promise<void> {
    const lines = await tornSql((sql) => this.run(sql))
    const torn = lines === null ? '' : ` UNION ALL ${lines}`
    const row = [
      ...nameColumns(dataset).map((name, i) => `${duckdb.text(name)}: n${i}`),
      `'time_stamp': strftime(make_timestamp(ms * 1000), '%Y-%m-%dT%H:%M:%S.%gZ')`,
      ...dataset.gauges.map(({ name }, i) => `${duckdb.text(name)}: g${i}`),
    ]
    const wrong = `SELECT r, 'a name that no message may have', to_json({${row.join(', ')}})::VARCHAR FROM ${this.#rows()} WHERE why IS NULL AND NOT (${this.#namesRight})`
    await this.run(
      `COPY (SELECT r AS "row", why AS reason, raw AS content FROM ${this.#rows()} WHERE why IS NOT NULL${torn} UNION ALL ${wrong} ORDER BY 1 LIMIT ${KEPT_MAX}) TO ${duckdb.text(path)} (FORMAT csv, HEADER)`,
    )
  }

  /** The rows of a date as a data file of messages; `offset` is that of the import. */
  async dateFile(dataset: Dataset, date: string, offset: number): Promise<DateFile> {
    // Of its own for each date: the engine keeps what it read of a path, and took a file written soon after for the one before.
    const path = `${this.#dir}/${date}.parquet`
    const rows = { offset, fromMs: Date.parse(date), where: this.#namesRight, ranks: this.#ranks }
    const sql = dateSql(this.#rowsOf(date), dataset, rows)
    const [stats] = (await this.run(
      `COPY (${sql}) TO ${duckdb.text(path)} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE ${ROW_GROUP_ROWS}, RETURN_STATS)`,
    )) as unknown as [CopyStats]
    const [times] = (await this.run(timesSql(path))) as unknown as [[number, number, number]]
    const bytes = (await this.#scratch.disk.readFile(path))!
    await this.#scratch.disk.remove(path)
    return { bytes, about: dateAbout(dataset, { date, offset }, stats, times) }
  }

  /** The staged rows of a date, as a relation. */
  #rowsOf(date: string): string {
    if (this.#direct === null)
      return `read_parquet(${duckdb.text(`${this.#staged()}/day=${date}/*.parquet`)})`
    const rows = this.#direct.rows(this.#direct.days.get(date)!)
    const fromMs = Date.parse(date)
    return `(SELECT * FROM ${rows} WHERE why IS NULL AND ms >= ${fromMs} AND ms < ${fromMs + DAY_MS})`
  }

  /** What a statement answers, row by row. Throws the signal's reason when it is to stop: none is begun after. */
  async run(sql: string): Promise<readonly unknown[][]> {
    this.#signal.throwIfAborted()
    this.#isRunning = true
    try {
      const reader = await this.#connection.runAndReadAll(sql)
      return reader.getRowsJS() as unknown[][]
    } catch (error) {
      this.#signal.throwIfAborted()
      throw duckdbError(error)
    } finally {
      this.#isRunning = false
      this.#cancelInterrupt()
    }
  }

  /** As `run`, for a statement that cannot spill: with more memory, and one thread to share it. */
  async runLarge(sql: string): Promise<void> {
    await this.run(`SET memory_limit = '${MEMORY_LARGE}'; SET threads = 1`)
    await this.run(sql)
    await this.run(`SET memory_limit = '${MEMORY_MAX}'; RESET threads`)
  }

  async close(): Promise<void> {
    this.#signal.removeEventListener('abort', this.#interrupt)
    this.#connection.closeSync()
    this.#instance.closeSync()
    await this.#scratch.removeTree(this.#dir)
  }
}
