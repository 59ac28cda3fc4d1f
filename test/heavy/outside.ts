import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'

/** The Python that `.ci/run` makes, with the packages `deltalake` and `pyarrow`; null where there is none. */
const PYTHON = join(import.meta.dirname, '../../.cache/python/bin/python')
export const python = existsSync(PYTHON) ? PYTHON : null

const READ = `
import json, os, sys
from deltalake import DeltaTable
table = DeltaTable(sys.argv[1]).to_pyarrow_table(columns=sys.argv[2:])
print(json.dumps(table.to_pylist()), flush=True)
# The reader's threads sometimes abort the interpreter's own way out, after everything is read.
os._exit(0)
`

/** Columns of a Delta table, read by delta-rs. */
export async function readWithDeltaRs<Row>(path: string, columns: readonly string[]): Promise<Row[]> {
  const { stdout } = await promisify(execFile)(PYTHON, ['-c', READ, path, ...columns], { maxBuffer: 1 << 30 })
  return JSON.parse(stdout) as Row[]
}
