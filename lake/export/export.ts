import { DuckDBInstance } from '@duckdb/node-api'
import { TidemarkError } from '../../schemas/errors.ts'
import type { Table } from '../delta/port.ts'
import { duckdbError } from '../duckdb-error.ts'
import { type ExportFormat, type ExportPlan, exportSql } from './plan.ts'

/** Memory that DuckDB takes. Rows are passed on in the order of the files, so that nothing has to wait for all. */
const MEMORY_MAX = '500MB'

/**
 * Writes the rows of a plan as one file at `output`, in DuckDB's own threads. Returns how many. Each file is verified before it is
 * read: throws `E_FILE_DAMAGED`; `E_DISK_FULL`, `E_CANCELLED` when `signal` ended it, `E_ENGINE`. What was written by then is left.
 */
export async function writeExport(
  plan: ExportPlan,
  table: Pick<Table, 'localPath'>,
  format: ExportFormat,
  output: string,
  signal: AbortSignal,
): Promise<number> {
  const paths: string[] = []
  for (const file of plan.files) {
    if (signal.aborted) throw stopped()
    paths.push(await table.localPath(file))
  }
  const instance = await DuckDBInstance.create(':memory:', {
    memory_limit: MEMORY_MAX,
    threads: '2',
    autoinstall_known_extensions: 'false',
  })
  const connection = await instance.connect()
  const stop = () => connection.interrupt()
  signal.addEventListener('abort', stop)
  try {
    await connection.run("SET TimeZone = 'UTC'")
    if (signal.aborted) throw stopped()
    return (await connection.run(exportSql(plan, paths, format, output))).rowsChanged
  } catch (error) {
    if (signal.aborted) throw stopped()
    throw duckdbError(error)
  } finally {
    signal.removeEventListener('abort', stop)
    connection.closeSync()
    instance.closeSync()
  }
}

function stopped(): TidemarkError {
  return new TidemarkError('E_CANCELLED', 'the export was stopped')
}
