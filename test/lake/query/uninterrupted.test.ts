import { mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { nodeClock } from '../../../cli/host/clock.ts'
import { nodeDisk } from '../../../cli/host/disk.ts'
import { queryProcesses } from '../../../cli/host/query-process.ts'
import { nodeRandom } from '../../../cli/host/random.ts'
import { residentBytes } from '../../../cli/host/resident-memory.ts'
import type { QueryProcess } from '../../../lake/query/process.ts'
import { LakeQueries } from '../../../lake/query/queries.ts'
import { isError } from '../../../schemas/errors.ts'

const MIB = 1 << 20
/** What DuckDB computes before it looks whether it is to stop, in a second and in hours. */
const DEAF = "SELECT levenshtein(repeat('a', 60000), repeat('b', 60000))"
const ENDLESS = 'SELECT count(*) FROM range(1000000) a, range(1000000) b WHERE a.range + b.range = -1'
/** What its own limit of memory does not count. */
const HUGE = [
  "SELECT length(repeat('x', 1000000000))",
  "SELECT repeat('x', 1000000000)",
  'SELECT len(range(200000000))',
  "SELECT length(lpad('x', 1000000000, 'y'))",
]

let dir: string
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'tidemark-query-'))
})
afterAll(() => rm(dir, { recursive: true, force: true }))

/** Queries over no tables, and how many bytes the largest of their processes was seen to have. */
async function rig({
  timeMs = 60_000,
  memoryBytes = 64 * MIB,
  rowsMax = 1_000_000,
  fileBytesMax = 2 ** 40,
} = {}) {
  const processes = queryProcesses({ keepsSpare: false })
  const begun: QueryProcess[] = []
  const scratchDir = join(dir, nodeRandom().hex(4))
  await mkdir(scratchDir)
  const queries = new LakeQueries(
    [],
    { timeMs, memoryBytes, rowsMax, fileBytesMax },
    {
      clock: nodeClock(),
      random: nodeRandom(),
      disk: nodeDisk(),
      scratchDir,
      reads: null,
      removeTree: (tree) => rm(tree, { recursive: true, force: true }),
      beginProcess(bytes) {
        const child = processes.begin(bytes)
        begun.push(child)
        return child
      },
    },
  )
  const free = new AbortController().signal
  return {
    queries,
    begun,
    left: () => readdir(scratchDir),
    ask: (sql: string, signal = free) => queries.run({ sql, asOf: null }, signal),
    async rowsOf(sql: string) {
      await using answer = await queries.run({ sql, asOf: null }, free)
      const rows = []
      for await (const some of answer.rows()) rows.push(...some)
      return rows
    },
    [Symbol.asyncDispose]: () => processes.close(),
  }
}

test('what takes more memory than it may is ended, and this process has none of it', async () => {
  await using at = await rig()
  await at.rowsOf('SELECT 1')
  const before = residentBytes(process.pid) ?? 0
  let most = 0
  const looking = setInterval(() => {
    most = Math.max(most, residentBytes(process.pid) ?? 0)
  }, 5)
  for (const sql of HUGE)
    await expect(at.ask(sql), sql).rejects.toMatchObject({
      code: 'E_QUERY_LIMIT',
      message: expect.stringMatching(/^the query needs more than 64 MiB of memory$|more than 16 MiB/),
    })
  clearInterval(looking)
  expect(most - before).toBeLessThan(64 * MIB)
  expect(await at.left()).toEqual([])
}, 60_000)

test('what cannot be interrupted is over at its time, and makes room for the next', async () => {
  await using at = await rig({ timeMs: 1_500 })
  const begun = performance.now()
  for (const sql of [DEAF, ENDLESS]) {
    const two = [at.ask(sql), at.ask(sql)].map((asked) => asked.catch((error) => error))
    await expect(at.ask('SELECT 1')).rejects.toThrow(/2 queries are at work already/)
    for (const error of await Promise.all(two))
      expect([error.code, error.message]).toEqual(['E_QUERY_LIMIT', 'the query took longer than 1.5 s'])
    await Promise.all(at.begun.map(({ ended }) => ended))
  }
  expect(performance.now() - begun).toBeLessThan(10_000)
  expect(await at.rowsOf('SELECT 1')).toEqual([[1]])
  expect(await at.left()).toEqual([])
}, 60_000)

test('whoever stops asking ends it', async () => {
  await using at = await rig()
  const stopping = new AbortController()
  const asked = at.ask(DEAF, stopping.signal)
  setTimeout(() => stopping.abort(), 500)
  await expect(asked).rejects.toMatchObject({ code: 'E_CANCELLED' })
  await expect(at.ask('SELECT 1', stopping.signal)).rejects.toMatchObject({ code: 'E_CANCELLED' })
  expect(await at.left()).toEqual([])
})

test('rows are computed as they are asked for, and a process that nobody reads on ends', async () => {
  await using at = await rig()
  const sql = "SELECT repeat('x', 500) || range FROM range(100000000)"
  const answer = await at.ask(sql)
  let read = 0
  for await (const rows of answer.rows()) {
    read += rows.length
    if (read > 2_000) break
  }
  expect(read).toBeLessThan(5_000)
  await answer[Symbol.asyncDispose]()
  expect(await at.begun[0]!.ended).toEqual({ by: 'caller' })
  expect(await at.left()).toEqual([])
})

test('a process that ends by itself is told from one that had to', async () => {
  await using at = await rig()
  const asked = at.ask(ENDLESS).catch((error) => error)
  await expect.poll(() => at.begun.length).toBe(1)
  at.begun[0]!.calls.tell('nobody answers this')
  const error = await asked
  expect([isError(error, 'E_ENGINE'), error.message]).toEqual([
    true,
    expect.stringMatching(/^the process of the query ended by itself: Error: nobody answers/),
  ])
  expect(await at.left()).toEqual([])
})

test('rows come whole in any number and order, and are cut off where they are to be', async () => {
  await using at = await rig({ rowsMax: 5_000 })
  const wide = await at.rowsOf("SELECT range, repeat('é', 1000) FROM range(5000)")
  expect(wide.map(([n]) => n)).toEqual(Array.from({ length: 5_000 }, (_, i) => i))
  expect(wide.every(([, text]) => text === 'é'.repeat(1_000))).toBe(true)
  await using answer = await at.ask('FROM range(5001)')
  let rows = 0
  for await (const some of answer.rows()) rows += some.length
  expect([rows, answer.isCut()]).toEqual([5_000, true])
  await expect(at.rowsOf("SELECT repeat('x', 20000000)")).rejects.toThrow(
    'a row of the answer has more than 16 MiB',
  )
})

test('a Parquet answer has no more bytes than it may, while it is written and in the end, and leaves none', async () => {
  await using at = await rig({ fileBytesMax: MIB, rowsMax: 10 ** 9 })
  const signal = new AbortController().signal
  for (const rows of [200_000, 100_000_000]) {
    const sql = `SELECT md5(range::text) FROM range(${rows})`
    const path = join(dir, `${rows}.parquet`)
    await expect(at.queries.writeParquet({ sql, asOf: null }, path, signal)).rejects.toMatchObject({
      code: 'E_QUERY_LIMIT',
      message: 'the answer has more than 1 MiB',
    })
    await expect(stat(path)).rejects.toThrow('ENOENT')
  }
})
