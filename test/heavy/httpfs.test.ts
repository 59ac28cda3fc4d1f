import { existsSync, readdirSync } from 'node:fs'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { DuckDBInstance } from '@duckdb/node-api'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { nodeClock } from '../../cli/host/clock.ts'
import { BucketReads } from '../../lake/store/bucket-reads.ts'
import { MemoryStore } from '../../lake/store/memory.ts'
import { makeCa } from '../cli/host/certificates.ts'
import { type BucketServer, bucketServer, hasBucketServer, KEY, SECRET } from './bucket-server.ts'
import { needs } from './needs.ts'
import { runCommand, startUp } from './up.ts'
import { until } from './watch.ts'

/** DuckDB reads a lake in a bucket itself, by its extension httpfs: nothing is other than by way of copies. */

const EXTENSION = extensionOf(fileURLToPath(new URL('../../.cache/duckdb/lib', import.meta.url)))
const found = needs('versitygw', hasBucketServer) && needs('httpfs for DuckDB', EXTENSION !== null)
/** Messages of two days, in the minutes of which there are several. */
const ROWS = 6_000

let dir: string
let server: BucketServer
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'tidemark-httpfs-'))
  if (found) server = await bucketServer(join(dir, 's3'))
})
afterAll(async () => {
  if (found) await server.kill()
  await rm(dir, { recursive: true, force: true })
})

function extensionOf(lib: string): string | null {
  const python = existsSync(lib) ? readdirSync(lib).find((name) => name.startsWith('python')) : undefined
  const path = `${lib}/${python}/site-packages/duckdb_extension_httpfs/extensions/v1.5.5/httpfs.duckdb_extension`
  return existsSync(path) ? path : null
}

const lake = () => [
  ...['--data', join(dir, 'data'), '--lake-url', 's3://tide/a_lake', '--lake-s3-endpoint', server.url],
  ...['--lake-s3-access-key', KEY, '--lake-s3-secret-key', SECRET],
]
const copies = () => readdir(join(dir, 'data', 'copies')).catch(() => [])

async function tidemark(...args: string[]) {
  const done = await runCommand([...args, ...lake()])
  expect([done.code, done.out + done.err]).toEqual([0, expect.not.stringContaining(SECRET)])
  return done
}

test.runIf(found)(
  'runs and queries are the same with it, keep no copies, reach nothing else and tell no secret',
  async () => {
    const lines = Array.from({ length: ROWS }, (_, i) => {
      const time = new Date(Date.UTC(2026, 10, 22) + i * 20_000).toISOString()
      return `${i % 3 === 0 ? 'shop' : 'web'},h${i % 7},${time},${i % 100},${i % 50},${i % 20}`
    })
    await writeFile(join(dir, 'old.csv'), `service,host,time_stamp,cpu,ram,disk\n${lines.join('\n')}\n`)
    await tidemark('import', join(dir, 'old.csv'))
    const direct = ['--lake-httpfs', EXTENSION!]
    const all = 'SELECT * FROM service_minute ORDER BY ALL'
    const cells = async (...args: string[]) => (await tidemark('query', all, '--format', 'csv', ...args)).out
    await tidemark('batch', '--once', '--full')
    expect((await copies()).length).toBeGreaterThan(0)
    const byCopies = await cells()
    expect(byCopies.split('\n').length).toBeGreaterThan(2_000)

    await rm(join(dir, 'data', 'copies'), { recursive: true })
    const run = await tidemark('batch', '--once', '--full', ...direct)
    expect(run.out + run.err).not.toContain('copies')
    expect(await cells(...direct)).toBe(byCopies)
    expect(await copies()).toEqual([])
    expect(await cells()).toBe(byCopies)

    const secrets = await tidemark('query', 'FROM duckdb_secrets()', ...direct)
    expect(secrets.out).toContain('redacted')
    for (const sql of ["FROM read_parquet('s3://tide/a_lake/runs/*')", "FROM glob('s3://tide/**')"]) {
      const refused = await runCommand(['query', sql, ...direct, ...lake()])
      expect([refused.code, refused.err]).toEqual([1, expect.stringContaining('E_QUERY')])
    }
    const without = await tidemark('query', all, '--format', 'csv', '--lake-httpfs', '/none.duckdb_extension')
    expect(without.out).toBe(byCopies)
    expect(without.err).toMatch(
      /lake: DuckDB reads copies of files, for it cannot read the bucket itself: .*none/,
    )
  },
  120_000,
)

test.runIf(found)(
  'what DuckDB asks for in a run is counted',
  async () => {
    const up = await startUp(join(dir, 'data'), [
      ...[...lake().slice(2), '--agent-enabled', 'false', '--lake-httpfs', EXTENSION!],
    ])
    try {
      const asked = async () => {
        const { lake: of } = (await (await fetch(`${up.serving}/v1/status`)).json()) as {
          lake: { requests: { duckdb: { get: { requests: number; bytes_received: number } } } }
        }
        return of.requests.duckdb.get
      }
      const started = await fetch(`${up.serving}/v1/runs`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: '{"full":true}',
      })
      const { run } = (await started.json()) as { run: string }
      await until('the run has ended', async () => {
        const { result } = (await (await fetch(`${up.serving}/v1/runs/${run}`)).json()) as { result?: string }
        return result === 'published'
      })
      const { requests, bytes_received } = await asked()
      expect(requests).toBeGreaterThan(4)
      expect(bytes_received).toBeGreaterThan(10_000)
    } finally {
      await up.end('SIGTERM')
    }
  },
  60_000,
)

test.runIf(found)('its certificate is checked, and a key that ended is replaced', async () => {
  const ca = await makeCa()
  const pair = await ca.issue({ ip: ['127.0.0.1'] })
  const pem = (name: string) => join(dir, `${name}.pem`)
  for (const [name, bytes] of Object.entries({ ...pair, ca: ca.cert })) await writeFile(pem(name), bytes)
  const tls = await bucketServer(join(dir, 's3'), { cert: pem('cert'), key: pem('key') })
  const said: string[] = []
  let secretKey = 'of the role before'
  const access = async () => ({
    ...{ endpoint: tls.url, region: 'us-east-1', pathStyle: true },
    credentials: { accessKey: KEY, secretKey, sessionToken: null, expiresMs: null },
  })
  const store = Object.assign(new MemoryStore(nodeClock()), { url: (name: string) => `s3://tide/${name}` })
  const deps = { store, access, counted: () => {}, logLine: (line: string) => void said.push(line) }
  const opened = async (caFile: string | null) => {
    const connection = await (await DuckDBInstance.create(':memory:')).connect()
    return {
      connection,
      reads: await new BucketReads({ extension: EXTENSION!, caFile }, deps).open(connection),
    }
  }
  expect((await opened(null)).reads).toBe(null)
  expect((await opened(pem('ca'))).reads).toBe(null)
  expect(said).toEqual([expect.stringMatching(/certificate|SSL/), expect.stringMatching(/403|Signature/)])
  secretKey = SECRET
  const { connection, reads } = await opened(pem('ca'))
  const list = () => connection.run("FROM glob('s3://tide/*')")
  await list()
  secretKey = 'ended'
  await reads!.renew(connection)
  await expect(list()).rejects.toThrow(/403|Signature/)
  secretKey = SECRET
  await reads!.renew(connection)
  await list()
  await tls.kill()
})
