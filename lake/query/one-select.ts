import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'
import { describeError, TidemarkError } from '../../schemas/errors.ts'
import { duckdb } from '../../schemas/sql/duckdb.ts'
import { tableSql } from './catalog.ts'
import type { NamedSchema } from './process.ts'

const SQL_CHARACTERS_MAX = 100_000
/** DuckDB is not to look for extensions. */
export const NO_EXTENSIONS = { autoinstall_known_extensions: 'false', autoload_known_extensions: 'false' }
/** DuckDB's number of a SELECT. */
const SELECT = 1

/** An instance that has nothing and may nothing. */
export async function emptyInstance(): Promise<DuckDBConnection> {
  const instance = await DuckDBInstance.create(':memory:', {
    ...NO_EXTENSIONS,
    threads: '1',
    enable_external_access: 'false',
  })
  const connection = await instance.connect()
  await connection.run('SET lock_configuration = true')
  return connection
}

/**
 * Throws `E_QUERY` for anything but one SELECT. `connection` is that of an empty instance: some statements act while they are only
 * prepared. `schemasOf` gives every table that there is, where those with the names, in lower case, are what the
 * query reads.
 */
export async function checkOneSelect(
  connection: DuckDBConnection,
  sql: string,
  schemasOf: (names: readonly string[]) => Promise<readonly NamedSchema[]>,
): Promise<void> {
  const refuse = (what: string) => new TidemarkError('E_QUERY', what, { field: 'sql' })
  if (sql.length > SQL_CHARACTERS_MAX)
    throw new TidemarkError('E_QUERY', `a query has at most ${SQL_CHARACTERS_MAX} characters`, {
      field: 'sql',
    })
  // Before they are views: of those DuckDB names what they read.
  const names = connection.getTableNames(sql, false).map((name) => name.toLowerCase())
  for (const { name, schema } of await schemasOf(names))
    await connection.run(viewSql(name, tableSql(schema, [])))
  const statements = await extracted(connection, sql)
  if (statements === null) throw refuse('there is nothing to run')
  if (statements.count > 1) throw refuse('these are several statements')
  const prepared = await statements.prepare(0)
  const { statementType, parameterCount } = prepared
  prepared.destroySync()
  if (statementType !== SELECT) throw refuse('the statement does something else than to read')
  if (parameterCount > 0) throw refuse('a parameter has no value')
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

export function viewSql(name: string, sql: string): string {
  return `CREATE VIEW ${duckdb.name(name)} AS ${sql}`
}
