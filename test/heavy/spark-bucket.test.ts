import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { nodeClock } from '../../cli/host/clock.ts'
import { nodeDisk } from '../../cli/host/disk.ts'
import { nodeHttp } from '../../cli/host/http.ts'
import { nodeRandom } from '../../cli/host/random.ts'
import { openTable } from '../../lake/delta/table.ts'
import { decodeCells } from '../../lake/parquet/cells.ts'
import { openStore } from '../../lake/store/open.ts'
import type { Cells } from '../../schemas/cells.ts'
import { hostMinute } from '../../schemas/views/host-minute.ts'
import { serviceMinute } from '../../schemas/views/service-minute.ts'
import { bucketServer, hasBucketServer, KEY, SECRET } from './bucket-server.ts'
import { LoadSender } from './load.ts'
import { needs } from './needs.ts'
import { expectSameCells } from './same-cells.ts'
import { sparkHome, sparkPackages, startCluster } from './spark-cluster.ts'
import { runCommand, startUp } from './up.ts'
import { until } from './watch.ts'

/** Runs of a lake in a bucket, which the executors of a cluster read and write themselves. */

const EACH = 6_000
const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

const home = sparkHome()
const jars = sparkPackages()
const found =
  needs('versitygw', hasBucketServer) &&
  needs('pyspark', home !== null) &&
  needs('hadoop-aws for Spark', jars !== null)

test.runIf(found)(
  "executors read and write a lake in a bucket, find what is damaged, and give DuckDB's result, also behind a killed run",
  async () => {
    const dir = await mkdtemp(join(tmpdir(), 'tidemark-spark-s3-'))
    const data = join(dir, 'data')
    const server = await bucketServer(join(dir, 's3'))
    const bucket = ['--lake-url', 's3://tide/the lake', '--lake-s3-endpoint', server.url]
    const common = [
      ...['--data', data, ...bucket, '--lake-s3-access-key', KEY, '--lake-s3-secret-key', SECRET],
      ...['--agent-enabled', 'false'],
    ]
    await using cluster = await startCluster(home!, dir)
    const argsOf = (engine: string, master: string) => {
      const spark = ['--spark-home', home!, '--spark-master', master, '--spark-jars', jars!]
      return ['batch', '--once', '--full', '--engine', engine, ...spark, ...common]
    }
    const run = async (engine: string, master: string) => {
      const done = await runCommand(argsOf(engine, master))
      expect([done.code, done.out]).toEqual([0, expect.stringContaining('published')])
      return { said: done.out + done.err, cells: await published() }
    }
    const { store } = openStore('s3://tide/the lake', {
      disk: nodeDisk(),
      random: nodeRandom(),
      s3: {
        config: {
          ...{ endpoint: server.url, region: null, pathStyle: null, profile: null },
          ...{ accessKey: KEY, secretKey: SECRET, copiesDir: join(dir, 'copies'), copiesBytesMax: 1 << 30 },
        },
        ...{ http: nodeHttp(), clock: nodeClock(), env: {} },
      },
    })
    const inScratch = async () => (await store.list('_scratch/')).map(({ key }) => key)
    const versions = () =>
      Promise.all(
        [serviceMinute, hostMinute].map(async ({ name }) => {
          const table = openTable(name, { store, clock: nodeClock(), random: nodeRandom() })
          return (await table.snapshot())!.version
        }),
      )
    /** Kills a run with SIGKILL while its job is on the cluster; what the job leaves in the scratch. */
    const killRun = async () => {
      const before = await versions()
      const kill = new AbortController()
      const running = runCommand(argsOf('spark', cluster.master), 0, kill.signal)
      await cluster.until(({ activeapps }) => activeapps.length === 1)
      kill.abort()
      expect((await running).code).toBe(null)
      // The driver goes on alone, and what executors write for it is nobody's.
      await cluster.until(({ activeapps }) => activeapps.length === 0)
      expect(await versions()).toEqual(before)
      return inScratch()
    }
    /** The cells of both views, date by date. */
    const published = async () => {
      const all: Cells[] = []
      for (const view of [serviceMinute, hostMinute]) {
        const table = openTable(view.name, { store, clock: nodeClock(), random: nodeRandom() })
        const files = [...((await table.snapshot())?.files.values() ?? [])]
        files.sort((a, b) => (a.partition.date! < b.partition.date! ? -1 : 1))
        for (const file of files) all.push(await decodeCells(view, await table.readFile(file)))
      }
      return all
    }
    try {
      // Two files of one date at least, in hours of their own.
      const dayMs = Math.floor(Date.now() / DAY_MS - 1) * DAY_MS
      let want = await published()
      for (const [i, hour] of [8, 18].entries()) {
        const up = await startUp(data, common.slice(2))
        const sender = new LoadSender(i + 1, dayMs + hour * HOUR_MS, EACH)
        sender.connect(up.collector.port)
        await until('it is welcome', () => sender.connected)
        sender.send(EACH)
        await until('all are acknowledged', () => sender.done)
        sender.close()
        await up.end('SIGTERM')
        want = (await run('duckdb', '')).cells
      }
      const rows = want.reduce((sum, { length }) => sum + length, 0)
      expect(rows).toBeGreaterThan(100)
      const expectWanted = (got: readonly Cells[]) => {
        expect(got.length).toBe(want.length)
        for (const [i, cells] of got.entries()) expectSameCells(cells, want[i]!)
      }
      await rm(join(data, 'copies'), { recursive: true, force: true })
      const left = await killRun()
      expectWanted((await run('spark', cluster.master)).cells)
      // No file came to this machine to be read by its path, and none is left of the job.
      expect(await readdir(join(data, 'copies')).catch(() => [])).toEqual([])
      expect(await inScratch()).toEqual(left)
      // The run of a process that lasts tells what it asked for.
      const spark = ['--spark-home', home!, '--spark-master', cluster.master, '--spark-jars', jars!]
      const lasting = await startUp(data, [...common.slice(2), '--batch-engine', 'spark', ...spark])
      await fetch(`${lasting.serving}/v1/runs`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: '{"full":true}',
      })
      const counted = async (what: string) => {
        const text = await (await fetch(`${lasting.serving}/metrics`)).text()
        return Number(new RegExp(`^tidemark_\\w*requests_spark_${what}_total (\\d+)$`, 'm').exec(text)?.[1])
      }
      await until('a job has told', async () => (await counted('bytes_sent')) > 0, 300_000)
      for (const what of ['read_operations', 'write_operations', 'bytes_received'])
        expect([what, await counted(what)]).toEqual([what, expect.toSatisfy((n: number) => n > 0)])
      await lasting.end('SIGTERM')
      await cluster[Symbol.asyncDispose]()

      const messages = openTable('messages', { store, clock: nodeClock(), random: nodeRandom() })
      const [path] = [...(await messages.snapshot())!.files.keys()]
      const file = join(dir, 's3/tide/the lake/messages', path!)
      const bytes = await readFile(file)
      await writeFile(file, bytes.with(bytes.length >> 1, bytes[bytes.length >> 1]! ^ 1))
      const damaged = await run('spark', 'local[2]')
      expect(damaged.said).toMatch(/messages.* is damaged.*keep the cells/)
      expectWanted(damaged.cells)
      expect(await inScratch()).toEqual(left)
    } finally {
      await server.kill()
      await rm(dir, { recursive: true, force: true })
    }
  },
  900_000,
)
