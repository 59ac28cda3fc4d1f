import { isError, TidemarkError } from '../../schemas/errors.ts'
import type { ImportFile } from './columns.ts'

/** What DuckDB calls a file that is not as its format says: `Invalid Input Error: Footer length error in file '/a/b.parquet'`. */
const OF_CONTENT =
  /^duckdb: (?:(?:Invalid Input|Invalid|Conversion|Serialization|Not implemented) Error: )(.*)/i
const HINT = 'write or fetch it again; what reads other forms is in docs/import.md'

/** `error`, in words about `file` where DuckDB says that what stands in it is wrong. */
export function unreadable({ name, path }: ImportFile, error: unknown): unknown {
  const [, said] = (isError(error, 'E_ENGINE') && OF_CONTENT.exec(error.message)) || []
  if (said === undefined) return error
  const why = said.replaceAll(path, name).trim()
  return new TidemarkError('E_USAGE', `${name} cannot be read: ${why}`, { hint: HINT, cause: error })
}
