import { execFileSync } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { needs } from './needs.ts'
import { python } from './outside.ts'
import { startUp } from './up.ts'
import { until } from './watch.ts'

/** Readers of Parquet that pip brings, by what docs/format/tables.md says of them. */
const RIGHT = ['pyarrow', 'pandas', 'polars', 'duckdb']

const READERS = `
import glob, json, os, sys
import duckdb, fastparquet, pandas, polars, pyarrow.parquet
readers = {
    "pyarrow": lambda path: pyarrow.parquet.ParquetFile(path).read().to_pandas(),
    "pandas": pandas.read_parquet,
    "polars": lambda path: polars.read_parquet(path, hive_partitioning=False).to_pandas(),
    "duckdb": lambda path: duckdb.sql("select * from read_parquet('%s', hive_partitioning=false)" % path).df(),
    "fastparquet": lambda path: fastparquet.ParquetFile(path).to_pandas(),
}
def milliseconds(value):
    at = pandas.Timestamp(value)
    at = at.tz_localize("UTC") if at.tzinfo is None else at.tz_convert("UTC")
    return at.value // 1_000_000
def plain(name, value):
    if name.endswith("_sketch"):
        return [[int(pair["bucket"]), int(pair["count"])] for pair in value]
    if name == "time_stamp" or name.endswith("_time"):
        return milliseconds(value)
    return value.item() if hasattr(value, "item") else value
def rows(reader, paths, names):
    all = []
    for path in paths:
        read = readers[reader](path)
        all += [[plain(name, row[name]) for name in names] for row in read.to_dict("records")]
    return sorted(all)
asked = json.load(open(sys.argv[1]))
answer = {}
for what, (folder, names, wanted) in asked.items():
    paths = sorted(glob.glob(folder + "/**/*.parquet", recursive=True))
    paths = [path for path in paths if "_delta_log" not in path]
    for reader in readers:
        try:
            right = paths != [] and rows(reader, paths, names) == sorted(wanted)
            answer[what + " " + reader] = "right" if right else "wrong"
        except Exception as error:
            answer[what + " " + reader] = "refused: " + repr(error)[:200]
print(json.dumps(answer), flush=True)
os._exit(0)
`

const hasReaders = needs('the Parquet readers of pip', python !== null && hasAll(python))

function hasAll(path: string): boolean {
  try {
    execFileSync(path, ['-c', 'import duckdb, fastparquet, pandas, polars, pyarrow'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

const MESSAGES = 3_000
const START_MS = Date.now() - 6 * 3_600_000

/** Times that are unevenly apart over some minutes; values whose sums are exact, however they are added up. */
const sample = (i: number) => {
  const timeMs = START_MS - (START_MS % 60_000) + i * 997
  return {
    timeMs,
    service: ['web', 'zahlung ü', '漢字'][i % 3]!,
    host: `h-${i % 7}`,
    // The second takes places of a byte in its dictionary, the others too many.
    gauges: [i / 4, (i * 7) % 101, i / 1_024],
  }
}

async function send(port: number): Promise<void> {
  const lines = Array.from({ length: MESSAGES }, (_, i) => {
    const { timeMs, service, host, gauges } = sample(i)
    const [cpu, ram, disk] = gauges
    return JSON.stringify({ service, host, time_stamp: timeMs, cpu, ram, disk })
  })
  await new Promise<void>((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.end(`${lines.join('\n')}\n`))
    socket
      .on('data', () => {})
      .on('end', resolve)
      .on('error', reject)
  })
}

type Row = { readonly [column: string]: unknown }

const plain = (name: string, value: unknown) => {
  if (name.endsWith('_sketch'))
    return (value as { bucket: number; count: number }[]).map(({ bucket, count }) => [bucket, count])
  return name === 'time_stamp' || name.endsWith('_time') ? Date.parse(value as string) : value
}

test.skipIf(!hasReaders)(
  'readers that pip brings read every kind of file as the documentation says',
  async () => {
    const dir = await mkdtemp(join(tmpdir(), 'tidemark-readers-'))
    const data = join(dir, 'data')
    const exports = join(dir, 'exports')
    await mkdir(exports)
    const up = await startUp(data, ['--agent-enabled', 'false'])
    try {
      await send(up.collector.port)
      const { run } = (await (await fetch(`${up.serving}/v1/runs`, { method: 'POST' })).json()) as {
        run: string
      }
      await until('the run has ended', async () => {
        const { state } = (await (await fetch(`${up.serving}/v1/runs/${run}`)).json()) as { state: string }
        return state === 'ended'
      })
      const range = `from=${START_MS - 86_400_000}&to=${START_MS + 86_400_000}`
      const minutes: Row[] = []
      for (const service of ['web', 'zahlung ü', '漢字']) {
        const url = `${up.serving}/v1/services/${encodeURIComponent(service)}/minutes?${range}`
        minutes.push(...((await (await fetch(url)).json()) as { rows: Row[] }).rows)
        const exported = await (await fetch(`${url}&format=parquet`)).arrayBuffer()
        await writeFile(join(exports, `${minutes.length}.parquet`), new Uint8Array(exported))
      }
      const columns = Object.keys(minutes[0]!)
      const rows = (names: readonly string[]) =>
        minutes.map((row) => names.map((name) => plain(name, row[name])))
      const noSketches = columns.filter((name) => !name.endsWith('_sketch'))
      const messages = Array.from({ length: MESSAGES }, (_, i) => {
        const { timeMs, service, host, gauges } = sample(i)
        return [timeMs, service, host, ...gauges]
      })
      const asked = join(dir, 'asked.json')
      await writeFile(
        asked,
        JSON.stringify({
          messages: [
            join(data, 'lake/messages'),
            ['time_stamp', 'service', 'host', 'cpu', 'ram', 'disk'],
            messages,
          ],
          views: [join(data, 'lake/service_minute'), columns, rows(columns)],
          'views without sketches': [join(data, 'lake/service_minute'), noSketches, rows(noSketches)],
          ticks: [join(data, 'lake/service_minute_ticks'), columns, rows(columns)],
          exports: [exports, columns, rows(columns)],
          'exports without sketches': [exports, noSketches, rows(noSketches)],
        }),
      )
      const read = JSON.parse(
        execFileSync(python!, ['-c', READERS, asked], { encoding: 'utf8', maxBuffer: 64 << 20 }),
      ) as {
        [what: string]: string
      }
      for (const [what, said] of Object.entries(read)) {
        const reader = what.split(' ').at(-1)!
        if (RIGHT.includes(reader)) expect([what, said]).toEqual([what, 'right'])
      }
      expect(read['views without sketches fastparquet']).toBe('right')
      expect(read['exports without sketches fastparquet']).toBe('right')
      console.log(
        `readers: ${JSON.stringify(Object.fromEntries(Object.entries(read).filter(([what]) => what.includes('fastparquet'))))}`,
      )
    } finally {
      await up.end('SIGTERM')
      await rm(dir, { recursive: true })
    }
  },
)
