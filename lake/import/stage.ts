import { type Dataset, nameColumns } from '../../schemas/dataset.ts'
import { duckdb } from '../../schemas/sql/duckdb.ts'
import { CORRECTIONS_MAX, type Correction } from '../correct.ts'
import type { FileAbout } from '../delta/port.ts'
import type { ImportSource } from './columns.ts'
import { type CopyStats, dateAbout, timesSql } from './date-about.ts'
import { dateSql } from './date-sql.ts'
import type { ImportEngine } from './engine.ts'
import type { Meaning } from './meaning.ts'
import { keepRefused, type Refusal, type Sorted, sortOut } from './refusals.ts'
import { fractionsSql, type Reading } from './rows-sql.ts'
import { type StagedRows, stageRows } from './staged-rows.ts'

const ROW_GROUP_ROWS = 122_880

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

/** The rows of a file, read as messages and sorted out, by date. */
export class ImportStage {
  readonly #engine: ImportEngine
  readonly #dataset: Dataset
  readonly #rows: StagedRows
  readonly #sorted: Sorted
  readonly staged: Staged

  private constructor(
    engine: ImportEngine,
    dataset: Dataset,
    rows: StagedRows,
    sorted: Sorted,
    staged: Staged,
  ) {
    this.#engine = engine
    this.#dataset = dataset
    this.#rows = rows
    this.#sorted = sorted
    this.staged = staged
  }

  /** Reads every row, and sorts out those that are no messages. */
  static async read(
    engine: ImportEngine,
    path: string,
    source: ImportSource,
    how: Reading,
  ): Promise<ImportStage> {
    const rows = await stageRows(engine, path, source, how)
    const sorted = await sortOut(engine, rows, how.dataset, source.json === 'lines' ? 'line' : 'row')
    const dates = await datesOf(engine, rows, sorted)
    const staged = {
      accepted: dates.reduce((sum, [, count]) => sum + count, 0),
      refused: sorted.refused,
      dates: dates.map(([date]) => date),
    }
    return new ImportStage(engine, how.dataset, rows, sorted, staged)
  }

  /** The first rows as they would be taken: names, time in milliseconds, gauges. */
  async firstRows(count: number): Promise<(string | number | null)[][]> {
    const columns = [
      ...nameColumns(this.#dataset).map((_, i) => `n${i}`),
      'ms::DOUBLE',
      ...this.#dataset.gauges.map((_, i) => `g${i}::DOUBLE`),
    ]
    const from = async (rows: string) =>
      (await this.#engine.run(
        `SELECT ${columns.join(', ')} FROM ${rows} WHERE ${acceptedSql(this.#sorted)} ORDER BY r LIMIT ${count}`,
      )) as (string | number | null)[][]
    const { first, all } = this.#rows
    const shown = first === null ? [] : await from(first)
    return shown.length === count ? shown : await from(all)
  }

  /** Gauges in percent of columns of which the accepted rows have broken numbers, and none above 1. */
  async fractions(meaning: Meaning): Promise<string[]> {
    const { isEmpty, all } = this.#rows
    if (isEmpty) return []
    const sql = `SELECT ${fractionsSql(this.#dataset, meaning)} FROM ${all} WHERE why IS NULL`
    const [found] = await this.#engine.run(sql)
    return this.#dataset.gauges.filter((_, i) => found![i] === true).map(({ name }) => name)
  }

  /** The accepted rows as corrections, at most `CORRECTIONS_MAX` and one more; what the file does not have is kept as it is. */
  async corrections({ gauges, attributes, names }: Meaning): Promise<Correction[]> {
    if (this.#rows.isEmpty) return []
    const columns = [
      ...names.map((_, i) => `n${i}`),
      ...gauges.map((_, i) => `g${i}::DOUBLE`),
      ...attributes.map((_, i) => `a${i}::VARCHAR`),
    ]
    const rows = (await this.#engine.run(
      `SELECT r::DOUBLE, ms::DOUBLE, ag, sq::DOUBLE, ${columns.join(', ')} FROM ${this.#rows.all} WHERE ${acceptedSql(this.#sorted)} ORDER BY r LIMIT ${CORRECTIONS_MAX + 1}`,
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

  /** Writes what was refused as CSV to `path`. */
  keepRefused(path: string): Promise<void> {
    return keepRefused(this.#engine, this.#rows, this.#sorted, { dataset: this.#dataset, path })
  }

  /** The rows of a date as a data file of messages; `offset` is that of the import. */
  async dateFile(date: string, offset: number): Promise<DateFile> {
    const engine = this.#engine
    // Of its own for each date: the engine keeps what it read of a path, and took a file written soon after for the one before.
    const path = engine.path(`${date}.parquet`)
    const { namesRight: where, ranks } = this.#sorted
    const rows = { offset, fromMs: Date.parse(date), where, ranks }
    const [stats] = (await engine.run(
      `COPY (${dateSql(this.#rows.of(date), this.#dataset, rows)}) TO ${duckdb.text(path)} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE ${ROW_GROUP_ROWS}, RETURN_STATS)`,
    )) as unknown as [CopyStats]
    const [times] = (await engine.run(timesSql(path))) as unknown as [[number, number, number]]
    const bytes = await engine.take(path)
    return { bytes, about: dateAbout(this.#dataset, { date, offset }, stats, times) }
  }
}

const acceptedSql = ({ namesRight }: Sorted) => `why IS NULL AND ${namesRight}`

/** The dates of the accepted rows with how many there are of each, ascending. */
async function datesOf(
  engine: ImportEngine,
  { dates, all }: StagedRows,
  sorted: Sorted,
): Promise<readonly (readonly [string, number])[]> {
  if (dates !== null && sorted.namesRight === 'true') return dates
  return (await engine.run(
    `SELECT day, count(*)::DOUBLE FROM ${all} WHERE ${acceptedSql(sorted)} GROUP BY day ORDER BY day`,
  )) as [string, number][]
}
