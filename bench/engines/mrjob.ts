import { existsSync, mkdirSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import type { DuckDBConnection } from '@duckdb/node-api'
import { hashOfCells } from '../lake/cells.ts'
import { readTable } from '../lake/delta.ts'
import { type Taken, take } from './command.ts'

/** The Python that `.ci/run` makes for mrjob; null where there is none. */
const PYTHON = join(import.meta.dirname, '../../.cache/mrjob/bin/python')
export const mrjobPython = existsSync(PYTHON) ? PYTHON : null

const JOB = join(import.meta.dirname, 'cells_job.py')
/** Input is split into so many files, which mrjob's runner maps side by side. */
const SPLITS = 8

/** The messages of a lake as lines of JSON, as mrjob reads them. Returns the files. */
export async function writeLines(db: DuckDBConnection, lake: string, dir: string): Promise<string[]> {
  mkdirSync(dir, { recursive: true })
  const { files } = (await readTable(join(lake, 'messages')))!
  const from = `read_parquet([${files.map(({ path }) => `'${path}'`).join(', ')}])`
  const time = "strftime(time_stamp AT TIME ZONE 'UTC', '%Y-%m-%dT%H:%M:%S.%gZ')"
  const made: string[] = []
  for (let i = 0; i < SPLITS; i++) {
    const path = join(dir, `${i}.ndjson`)
    const rows = `SELECT service, host, ${time} AS time_stamp, cpu, ram, disk FROM ${from} WHERE "offset" % ${SPLITS} = ${i}`
    await db.run(`COPY (${rows}) TO '${path}' (FORMAT json)`)
    made.push(path)
  }
  return made
}

/** mrjob's own runner for one machine: processes on all cores, and `sort` between them. */
export async function runMrjob(files: readonly string[], to: string): Promise<Taken> {
  const out = await open(to, 'w')
  try {
    return await take(PYTHON, [JOB, '-r', 'local', '--no-conf', '--quiet', ...files], out.fd)
  } finally {
    await out.close()
  }
}

/** Of the cells that the job wrote. `columns` are the view's, without sketches. */
export async function hashOfLines(
  db: DuckDBConnection,
  path: string,
  columns: readonly string[],
  startMs: number,
): Promise<string> {
  const typed = columns.map((name) => `${name}: '${typeOf(name)}'`).join(', ')
  const parquet = `${path}.parquet`
  await db.run(
    `COPY (FROM read_json('${path}', format = 'newline_delimited', columns = {${typed}})) TO '${parquet}' (FORMAT parquet)`,
  )
  return hashOfCells(db, [parquet], columns, startMs)
}

function typeOf(column: string): string {
  if (/(^|_)time(_stamp)?$/.test(column)) return 'TIMESTAMPTZ'
  if (column === 'msg_num') return 'BIGINT'
  return column === 'service' || column.endsWith('_host') ? 'VARCHAR' : 'DOUBLE'
}
