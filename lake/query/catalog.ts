import { isError, TidemarkError } from '../../schemas/errors.ts'
import { duckdb } from '../../schemas/sql/duckdb.ts'
import type { DataFile, Field, Snapshot, Table, TableSchema } from '../delta/port.ts'
import type { LakeTables } from '../tables/deployment.ts'
import { messagesSchema, sealApp } from '../tables/messages.ts'
import { viewSchema } from '../tables/published.ts'
import { runsSchema } from '../tables/runs.ts'
import { ticksSchema } from '../tables/ticks.ts'

/** Which version of the tables a query reads; null: the newest ones. A version by number is that of the one table it asks. */
export type QueryAsOf = { readonly version: number } | { readonly timeMs: number } | null

/** A table that a query can name. */
export interface QueryTable {
  readonly name: string
  readonly table: Table
  /** Its columns while it does not exist. */
  readonly schema: TableSchema
  readonly holdsMessages: boolean
}

/** A table as a query reads it. */
export interface ReadTable {
  readonly name: string
  /** Null where there is none yet. */
  readonly version: number | null
  /** When that version was committed, milliseconds since 1970. */
  readonly timeMs: number | null
  readonly rows: number
  readonly files: number
  /** Of messages: the log time up to which all are in it, milliseconds since 1970; newer ones are in the log. 0: none are. */
  readonly sealedToMs?: number
}

/** Every table of a lake, messages and views first. */
export function queryTables({ datasets, runs }: LakeTables): QueryTable[] {
  const of = (table: Table, schema: TableSchema, holdsMessages = false): QueryTable => {
    return { name: table.name, table, schema, holdsMessages }
  }
  return [
    ...datasets.map(({ dataset, messages }) => of(messages, messagesSchema(dataset), true)),
    ...datasets.flatMap(({ views }) => views.map(({ view, published }) => of(published, viewSchema(view)))),
    of(runs, runsSchema),
    ...datasets.flatMap(({ views }) => views.map(({ view, ticks }) => of(ticks, ticksSchema(view)))),
    ...datasets.flatMap(({ views }) => views.map(({ view, frozen }) => of(frozen, viewSchema(view)))),
  ]
}

/** The table at the version that is asked for; null where it does not exist yet. Throws `E_VERSION_GONE`. */
export async function snapshotAt({ table }: QueryTable, asOf: QueryAsOf): Promise<Snapshot | null> {
  const newest = await table.snapshot()
  if (newest === null || asOf === null) return newest
  return table.at('version' in asOf ? asOf.version : await table.versionAt(asOf.timeMs))
}

/** Where a file of a version lies on this machine. Throws `E_VERSION_GONE` where that version is no longer kept. */
export async function pathAt(table: Table, file: DataFile, version: number): Promise<string> {
  try {
    return await table.localPath(file)
  } catch (error) {
    throw isError(error, 'E_FILE_DAMAGED') ? await table.goneOr(error, version) : error
  }
}

/** Says what is read. */
export function readTable({ name, holdsMessages }: QueryTable, snapshot: Snapshot | null): ReadTable {
  const files = [...(snapshot?.files.values() ?? [])]
  const seals = [...(snapshot?.txns ?? [])].filter(([app]) => app.startsWith(SEALS))
  return {
    name,
    version: snapshot?.version ?? null,
    timeMs: snapshot?.timeMs ?? null,
    rows: files.reduce((sum, { rows }) => sum + rows, 0),
    files: files.length,
    ...(holdsMessages && {
      sealedToMs: seals.length === 0 ? 0 : Math.min(...seals.map(([, txn]) => txn.lastUpdatedMs ?? 0)),
    }),
  }
}

const SEALS = sealApp(0).slice(0, -1)

const TYPES: { readonly [type in Field['type']]: string } = {
  string: 'VARCHAR',
  long: 'BIGINT',
  integer: 'INTEGER',
  double: 'DOUBLE',
  boolean: 'BOOLEAN',
  timestamp: 'TIMESTAMPTZ',
  date: 'DATE',
  sketch: 'STRUCT(bucket INTEGER, "count" BIGINT)[]',
}

/** The query that gives the rows of the files at `paths`, in the columns of the table; what older files lack is NULL. */
export function tableSql({ fields, partitionBy }: TableSchema, paths: readonly string[]): string {
  const columns = fields.map(({ name }) => duckdb.name(name)).join(', ')
  const none = fields.map(({ name, type }) => `NULL::${TYPES[type]} AS ${duckdb.name(name)}`)
  const empty = `SELECT ${none.join(', ')} WHERE false`
  if (paths.length === 0) return empty
  const files = `read_parquet([${paths.map(duckdb.text).join(', ')}], union_by_name = true, hive_partitioning = false)`
  // The files leave out what their folders say: the UTC date of their times.
  const date = partitionBy.includes('date') ? ', time_stamp::DATE AS date' : ''
  return `SELECT ${columns} FROM (${empty} UNION ALL BY NAME SELECT *${date} FROM ${files})`
}

/** A table that the query does not name: its columns can be looked at, its rows not. */
export function unnamedSql({ name, schema }: Pick<QueryTable, 'name' | 'schema'>): string {
  const why = duckdb.text(`${name} is not named in the query`)
  const columns = schema.fields.map(
    ({ name: column, type }) => `error(${why})::${TYPES[type]} AS ${duckdb.name(column)}`,
  )
  return `SELECT ${columns.join(', ')} FROM range(1)`
}

/** Throws `E_QUERY` where a version by number is asked of other than one table. */
export function checkAsOf(asOf: QueryAsOf, named: readonly QueryTable[]): void {
  if (asOf === null || !('version' in asOf) || named.length === 1) return
  const tables = named.length === 0 ? 'no table' : named.map(({ name }) => name).join(', ')
  throw new TidemarkError(
    'E_QUERY',
    `version ${asOf.version} is that of one table, and the query reads ${tables}`,
    {
      field: 'as_of',
      hint: 'give a time instead: each table is then read as it was',
    },
  )
}
