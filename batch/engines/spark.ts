import { TidemarkError } from '../../schemas/errors.ts'
import type { Clock, Random } from '../../schemas/ports/clock.ts'
import type { Disk } from '../../schemas/ports/disk.ts'
import type { Position } from '../../schemas/position.ts'
import type { DatePlan } from '../plan.ts'
import type { DescribeBytes } from './described.ts'
import type { Engine, EngineTables, OpenEngine, ViewFile } from './engine.ts'
import { ASKED_STATEMENTS, type Asked, AskedOfBucket } from './spark-asked.ts'
import { DAMAGED, dateJob, jobStatements } from './spark-job.ts'
import type { SparkAccess, SparkPlace } from './spark-place.ts'

/** How a job gets to Spark, and how folders that its executors made are removed. */
export interface SparkSubmit {
  /**
   * Runs `spark-submit` with `args` in the folder `cwd` to its end, with the variables `env` beside those of this process. Ends
   * the process, and throws the reason, when `signal` aborts. `said` is the end of what it wrote to standard error; `line` is
   * told each line of its standard output.
   */
  submit(
    args: readonly string[],
    { cwd, env, line }: { cwd: string; env: SparkAccess['env']; line?(text: string): void },
    signal: AbortSignal,
  ): Promise<{ code: number; said: string }>
  /** Removes a folder with all that is in it; absent is no error. */
  removeFolder(dir: string): Promise<void>
}

export interface SparkConfig {
  /** A Spark master's URL, as `spark://host:7077`, or `local[2]`. */
  readonly master: string
  /** Longest time of one job. */
  readonly limitMs: number
  /** Jars that jobs need beside Spark's own: paths with commas between; empty for none. */
  readonly jars: string
  /** Where the jobs' scripts lie, in a folder that one process has at a time. */
  readonly scratchDir: string
}

export interface SparkDeps {
  readonly spark: SparkSubmit
  /** Where executors write; they must reach the lake too. */
  readonly place: SparkPlace
  /** Told what each job asked of the lake's bucket; absent for a lake in none. */
  readonly asked?: (asked: Asked) => void
  /** Reads a file that executors wrote. It may have hundreds of thousands of cells, and must hold up nobody meanwhile. */
  readonly describe: DescribeBytes
  readonly disk: Disk
  readonly clock: Clock
  readonly random: Random
}

/** Dates of one job at most. Starting one takes many seconds, so dates are gathered. */
const DATES_AT_A_TIME = 64
/** A job is sent off when no further date came for so long. */
const GATHER_MS = 300

/**
 * Spark, by `spark-submit` as a child process, which is the job's driver: when it is ended, the cluster ends the job.
 * Executors write each date's file to a folder of this run alone; it becomes visible by the run's commit, made here.
 */
export function sparkEngine(config: SparkConfig, deps: SparkDeps): OpenEngine {
  return async (tables) => {
    const dir = `${config.scratchDir}/spark-jobs`
    await deps.spark.removeFolder(dir)
    await deps.disk.makeDir(dir)
    await deps.place.tidy()
    return new Spark(tables, { ...config, scratchDir: dir }, deps)
  }
}

interface Waiting {
  readonly date: DatePlan
  readonly upTo: Position
  readonly signal: AbortSignal
  resolve(file: ViewFile | null): void
  reject(error: unknown): void
}

class Spark implements Engine {
  readonly dates = DATES_AT_A_TIME
  readonly verifies = true
  readonly #tables: EngineTables
  readonly #config: SparkConfig
  readonly #deps: SparkDeps
  #waiting: Waiting[] = []
  #cancelGathering: () => void = () => {}
  #job: Promise<void> = Promise.resolve()

  constructor(tables: EngineTables, config: SparkConfig, deps: SparkDeps) {
    this.#tables = tables
    this.#config = config
    this.#deps = deps
  }

  compute(date: DatePlan, upTo: Position, signal: AbortSignal): Promise<ViewFile | null> {
    const { promise, resolve, reject } = Promise.withResolvers<ViewFile | null>()
    this.#waiting.push({ date, upTo, signal, resolve, reject })
    this.#cancelGathering()
    this.#cancelGathering = this.#deps.clock.after(GATHER_MS, () => {
      this.#job = this.#job.then(() => this.#run(this.#waiting.splice(0)))
    })
    return promise
  }

  /** Carries out one job. Never rejects: its callers get the result. */
  async #run(dates: readonly Waiting[]): Promise<void> {
    if (dates.length === 0) return
    const { disk, spark, place } = this.#deps
    const name = this.#deps.random.hex(8)
    const dir = `${this.#config.scratchDir}/${name}`
    const limit = new AbortController()
    const { limitMs } = this.#config
    const cancelLimit = this.#deps.clock.after(limitMs, () =>
      limit.abort(new TidemarkError('E_ENGINE', `spark: the job took longer than ${limitMs / 1000} s`)),
    )
    const signal = AbortSignal.any([limit.signal, ...dates.map((one) => one.signal)])
    try {
      await disk.makeDir(dir)
      const jobs = dates.map(({ date, upTo }, i) =>
        dateJob(this.#tables, { date, upTo, name: `d${i}`, to: place.url(`${name}/${i}`) }),
      )
      const statements = jobStatements(jobs)
      signal.throwIfAborted()
      if (statements.length > 0) await this.#submit(statements, dir, signal)
      for (const [i, { date, resolve }] of dates.entries())
        resolve(jobs[i]!.writes.length === 0 ? null : await this.#read(`${name}/${i}`, date.date))
    } catch (error) {
      for (const { reject } of dates) reject(error)
    } finally {
      cancelLimit()
      await spark.removeFolder(dir).catch(() => {})
      await place.remove(name).catch(() => {})
    }
  }

  async #submit(statements: readonly string[], dir: string, signal: AbortSignal): Promise<void> {
    const script = `${dir}/job.sql`
    const file = await this.#deps.disk.open(script, { create: true })
    const told = this.#deps.asked
    const lines = [...statements, ...(told === undefined ? [] : ASKED_STATEMENTS)].map((one) => `${one};\n`)
    await file.write(0, new TextEncoder().encode(lines.join('')))
    await file.close()
    const { master, jars } = this.#config
    const { conf, env } = await this.#deps.place.access()
    const all = { ...SESSION, ...conf, 'spark.sql.warehouse.dir': `file://${dir}/warehouse` }
    const asked = new AskedOfBucket()
    const { code, said } = await this.#deps.spark.submit(
      [
        ...['--master', master, '--name', `tidemark ${this.#tables.view.name}`],
        ...(jars === '' ? [] : ['--jars', jars]),
        ...Object.entries(all).flatMap(([name, value]) => ['--conf', `${name}=${value}`]),
        ...['--class', 'org.apache.spark.sql.hive.thriftserver.SparkSQLCLIDriver', 'spark-internal'],
        ...['-f', script],
      ],
      { cwd: dir, env, line: (text) => asked.line(text) },
      signal,
    )
    told?.(asked.sum)
    if (code === 0) return
    const reason = reasonIn(said)
    const isDamage = reason.includes(DAMAGED) || reason.includes('[PATH_NOT_FOUND]')
    throw new TidemarkError(
      isDamage ? 'E_FILE_DAMAGED' : 'E_ENGINE',
      `spark: ${reason || `it ended with ${code}`}`,
    )
  }

  /** The file that the executors wrote for a date. It is read whole before it may be published. */
  async #read(folder: string, date: string): Promise<ViewFile | null> {
    const { place } = this.#deps
    const names = await place.list(folder)
    const files = names.filter((name) => name.endsWith('.parquet'))
    // What is missing is no empty date: another machine's disk may hold it.
    if (!names.includes('_SUCCESS') || files.length !== 1) {
      const reason = `${files.length} files of ${date} in ${place.url(folder)}, not one; do the executors see this folder?`
      throw new TidemarkError('E_ENGINE', `spark: ${reason}`)
    }
    const bytes = (await place.read(`${folder}/${files[0]}`))!
    const about = await this.#deps.describe(this.#tables.view, bytes, date)
    return about.rows === 0 ? null : { bytes, about }
  }

  async close(): Promise<void> {
    this.#cancelGathering()
    await this.#job
  }
}

/**
 * The session in which the plan means the same as elsewhere: no silent nulls, UTC, one calendar for all years, times in
 * microseconds, and text that is taken as it stands.
 */
const SESSION = {
  'spark.submit.deployMode': 'client',
  'spark.sql.catalogImplementation': 'in-memory',
  'spark.sql.ansi.enabled': 'true',
  'spark.sql.legacy.sizeOfNull': 'false',
  'spark.sql.session.timeZone': 'UTC',
  'spark.sql.parquet.outputTimestampType': 'TIMESTAMP_MICROS',
  'spark.sql.parquet.datetimeRebaseModeInRead': 'CORRECTED',
  'spark.sql.parquet.datetimeRebaseModeInWrite': 'CORRECTED',
  'spark.sql.caseSensitive': 'true',
  'spark.sql.variable.substitute': 'false',
  'spark.sql.parser.escapedStringLiterals': 'false',
  'spark.ui.enabled': 'false',
}

const REASON_LENGTH_MAX = 600

/** What went wrong, in the words of Spark's driver: its last error, without its stack. */
export function reasonIn(said: string): string {
  const lines = said
    .split('\n')
    .filter((line) => line.trim() !== '' && !/^\s+at |^\s*\.\.\. \d+ more/.test(line))
  const telling = lines.filter((line) => /\[[A-Z0-9_.]+\]|Exception|Error/.test(line))
  return (
    telling.findLast((line) => /\[[A-Z0-9_]+(\.[A-Z0-9_]+)*\]/.test(line)) ??
    telling.at(-1) ??
    lines.at(-1) ??
    ''
  )
    .trim()
    .slice(0, REASON_LENGTH_MAX)
}
