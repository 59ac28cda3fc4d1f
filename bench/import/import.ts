import { spawn } from 'node:child_process'
import { mkdir, mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type DuckDBConnection, version as duckdbVersion } from '@duckdb/node-api'
import { environment } from '../../test/heavy/up.ts'
import { budgetText, times } from '../budget.ts'
import { openDuckdb } from '../lake/made.ts'
import { machine, median, mib, ms } from '../measure.ts'
import { usageOf } from '../process.ts'
import { startFloor } from '../recompute/rounds.ts'

/**
 * Import: `tidemark import FILE --yes` into an empty directory, a process of its own each time, against DuckDB that reads the same file
 * and writes its rows as Parquet by date, turn by turn. 100 hosts of 20 services measure every 10 s; gauges are whole percentages.
 */
export const IMPORT_FILES = ['csv', 'parquet'] as const
type ImportFile = (typeof IMPORT_FILES)[number]

const START_S = Date.UTC(2026, 0, 1) / 1_000
const ENTRY = fileURLToPath(new URL('../../cli/entry.js', import.meta.url))
const LOOK_MS = 20
const ROWS_A_SECOND: { readonly [file in ImportFile]: number } = { csv: 500_000, parquet: 2_000_000 }
const PEAK_MIB = { atMost: 1_024 }

interface ImportRun {
  /** From the start of the process until the rows are in the table. */
  readonly importMs: number
  /** Until its end, with the run that makes them count. */
  readonly commandMs: number
  readonly peakMib: number
  /** Until the rows were in the table: the run has a budget of its own. */
  readonly importPeakMib: number
  readonly importCpuSeconds: number
}

export interface ImportResult {
  readonly file: ImportFile
  readonly rows: number
  readonly bytes: number
  readonly runs: readonly ImportRun[]
  readonly floorMs: readonly number[]
}

export async function benchImport(rows: number, rounds: number): Promise<ImportResult[]> {
  const dir = await mkdtemp(join(tmpdir(), 'tidemark-bench-'))
  try {
    using duckdb = await openDuckdb()
    const results: ImportResult[] = []
    for (const file of IMPORT_FILES) results.push(await importOne(duckdb.db, dir, file, rows, rounds))
    return results
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
}

async function importOne(
  db: DuckDBConnection,
  dir: string,
  file: ImportFile,
  rows: number,
  rounds: number,
): Promise<ImportResult> {
  const path = join(dir, `history.${file}`)
  await db.run(`COPY (${historySql(rows)}) TO '${path}' (FORMAT ${file})`)
  using floor = await startFloor()
  const runs: ImportRun[] = []
  const floorMs: number[] = []
  for (let round = 0; round < rounds; round++) {
    const [hand, data] = [join(dir, 'hand'), join(dir, 'data')]
    await mkdir(hand)
    floorMs.push(await floor.run([byHand(path, file, hand)]))
    runs.push(await runImport(path, data, rows))
    for (const made of [hand, data]) await rm(made, { recursive: true })
  }
  const { size } = await stat(path)
  await rm(path)
  return { file, rows, bytes: size, runs, floorMs }
}

function historySql(rows: number): string {
  const walk = (prime: number) => `((i * ${prime} + i // 7) % 101)::DOUBLE`
  return `SELECT 'service-' || i % 20 AS service, 'host-' || i % 100 AS host,
    make_timestamp((${START_S} + i // 100 * 10)::BIGINT * 1000000) AT TIME ZONE 'UTC' AS time_stamp,
    ${walk(7919)} AS cpu, ${walk(104729)} AS ram, ${walk(1299709)} AS disk FROM range(${rows}) t(i)`
}

/** What nobody can do without: every row read, and written as Parquet in folders by date; in no order, and nothing checked. */
function byHand(path: string, file: ImportFile, to: string): string {
  const types = `{'service': 'VARCHAR', 'host': 'VARCHAR', 'time_stamp': 'TIMESTAMPTZ', 'cpu': 'DOUBLE', 'ram': 'DOUBLE', 'disk': 'DOUBLE'}`
  const source = file === 'csv' ? `read_csv('${path}', columns = ${types}, header = true)` : `'${path}'`
  return `COPY (SELECT *, time_stamp::DATE AS date FROM ${source}) TO '${to}' (FORMAT parquet, COMPRESSION zstd, PARTITION_BY (date), OVERWRITE_OR_IGNORE)`
}

async function runImport(path: string, data: string, rows: number): Promise<ImportRun> {
  const beforeMs = performance.now()
  const args = [ENTRY, 'import', path, '--yes', '--data', data, '--collector-oldest', '2000-01-01']
  const child = spawn(process.execPath, args, { env: environment(), stdio: ['ignore', 'pipe', 'pipe'] })
  let printed = ''
  let taken: { readonly ms: number; readonly usage: ReturnType<typeof usageOf> } | null = null
  const taking = `${rows.toLocaleString('en')} rows taken`
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (bytes) => {
      printed += bytes
      if (taken === null && printed.includes(taking))
        taken = { ms: performance.now() - beforeMs, usage: usageOf(child.pid!) }
    })
  let peakMib = 0
  const look = () =>
    void usageOf(child.pid!).then((usage) => {
      if (usage.peakMib > peakMib) peakMib = usage.peakMib
    })
  const timer = setInterval(look, LOOK_MS)
  const end = await new Promise((resolve) => child.once('close', (code, signal) => resolve(signal ?? code)))
  clearInterval(timer)
  const commandMs = performance.now() - beforeMs
  const done = taken as { ms: number; usage: ReturnType<typeof usageOf> } | null
  if (end !== 0 || done === null || !/published/.test(printed))
    throw new Error(`tidemark import ended with ${end}: ${printed}`)
  const usage = await done.usage
  return {
    importMs: done.ms,
    commandMs,
    peakMib,
    importPeakMib: usage.peakMib,
    importCpuSeconds: usage.cpuSeconds,
  }
}

/** What the benchmark prints. */
export function importText(results: readonly ImportResult[]): string {
  return [`import on ${machine()}, DuckDB ${duckdbVersion()}`, ...results.map(oneText)].join('\n\n')
}

function oneText({ file, rows, bytes, runs, floorMs }: ImportResult): string {
  const of = (value: (run: ImportRun) => number) => median(runs.map(value))
  const importMs = of((run) => run.importMs)
  const rate = { atLeast: ROWS_A_SECOND[file] }
  const million = (value: number) => `${(value / 1e6).toFixed(2)} M rows/s`
  return `${file}: ${rows.toLocaleString('en')} rows, ${(bytes / 1e6).toFixed(1)} MB, medians of ${runs.length}
  in the table               ${ms(importMs)}; ${budgetText((rows / importMs) * 1_000, rate, million)}; ${of((run) => run.importCpuSeconds).toFixed(1)} s of CPU
  by hand                    ${ms(median(floorMs))}; import / by hand = ${times(importMs / median(floorMs))}
  the command, with its run  ${ms(of((run) => run.commandMs))}
  peak memory                ${budgetText(
    of((run) => run.importPeakMib),
    PEAK_MIB,
    mib,
  )}; ${mib(of((run) => run.peakMib))} with the run`
}
