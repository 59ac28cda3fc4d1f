import { describeError, TidemarkError } from '../schemas/errors.ts'

/** What DuckDB threw, as an error of the list: `E_DISK_FULL` where its scratch folder or its output has no room, else `E_ENGINE`. */
export function duckdbError(error: unknown): TidemarkError {
  const said = describeError(error)
  const code = /no space left|disk quota/i.test(said) ? 'E_DISK_FULL' : 'E_ENGINE'
  return new TidemarkError(code, `duckdb: ${said}`, { cause: error })
}
