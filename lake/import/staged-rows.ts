import { duckdb } from '../../schemas/sql/duckdb.ts'
import { DAY_MS } from '../../schemas/time.ts'
import type { ImportSource } from './columns.ts'
import { type Direct, lookAtDates } from './direct.ts'
import type { ImportEngine } from './engine.ts'
import { NO_ROWS, type Reading, stagedSql } from './rows-sql.ts'

/** Among so many rows there are most often as many to show as are asked for. */
const FIRST_ROWS = 10_000

/** Every row of a file with what is wrong with it, as relations of the columns of `stagedSql`. */
export interface StagedRows {
  readonly all: string
  /** The first ones, where they are had without reading all; else null. */
  readonly first: string | null
  /** Those of a UTC date, accepted ones at least. */
  of(date: string): string
  /** UTC dates of rows without a fault of their own, with how many there are; null where they must be counted. */
  readonly dates: readonly (readonly [date: string, rows: number])[] | null
  readonly isEmpty: boolean
  /** Whether rows may have faults. */
  readonly mayBeRefused: boolean
}

/** Copies the rows to files by date, or finds that they can be read where they lie. */
export async function stageRows(
  engine: ImportEngine,
  path: string,
  source: ImportSource,
  how: Reading,
): Promise<StagedRows> {
  const stopTelling = engine.tell()
  try {
    if (source.format === 'parquet') {
      const direct = await lookAtDates((sql) => engine.run(sql), path, source, how)
      if (direct !== null) return whereTheyLie(direct)
    }
    return await copied(engine, stagedSql(path, source, how))
  } finally {
    stopTelling()
  }
}

function whereTheyLie({ rows, days, isRefused }: Direct): StagedRows {
  return {
    all: rows(null),
    first: rows({ first: 1, last: FIRST_ROWS }),
    of(date) {
      const fromMs = Date.parse(date)
      return `(SELECT * FROM ${rows(days.get(date)!)} WHERE why IS NULL AND ms >= ${fromMs} AND ms < ${fromMs + DAY_MS})`
    },
    dates: [...days].map(([day, { count }]) => [day, count] as const).sort(([a], [b]) => (a < b ? -1 : 1)),
    isEmpty: false,
    mayBeRefused: isRefused,
  }
}

async function copied(engine: ImportEngine, rows: string): Promise<StagedRows> {
  const dir = engine.path('rows')
  const [[read]] = (await engine.run(
    `COPY (${rows}) TO ${duckdb.text(dir)} (FORMAT parquet, COMPRESSION lz4, PARTITION_BY (day))`,
  )) as [[bigint]]
  const isEmpty = read === 0n
  const all = `read_parquet(${duckdb.text(`${dir}/*/*.parquet`)}, hive_partitioning = true, hive_types = {'day': VARCHAR})`
  return {
    all: isEmpty ? NO_ROWS : all,
    first: null,
    of: (date) => `read_parquet(${duckdb.text(`${dir}/day=${date}/*.parquet`)})`,
    dates: null,
    isEmpty,
    mayBeRefused: true,
  }
}
