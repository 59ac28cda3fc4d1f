import { createHash } from 'node:crypto'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { lookAt } from '../../../cli/commands/import/files.ts'
import { nodeClock } from '../../../cli/host/clock.ts'
import { nodeDisk } from '../../../cli/host/disk.ts'
import type { Table } from '../../../lake/delta/port.ts'
import { ImportEngine } from '../../../lake/import/engine.ts'
import { Importing } from '../../../lake/import/importer.ts'
import { host } from '../../../schemas/datasets/host.ts'
import { TidemarkError } from '../../../schemas/errors.ts'

/** What an import reads, how often, and that it ends when it is told to. */

let dir: string
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'tidemark-stopped-'))
})
afterEach(async () => {
  vi.restoreAllMocks()
  await rm(dir, { recursive: true, force: true })
})

const ROWS = 'service,host,time_stamp,cpu,ram,disk\nweb,h,2026-11-22T10:00:00Z,1,2,3\n'
const STOPPED = new TidemarkError('E_CANCELLED', 'the import was stopped')

async function file(content: string | Uint8Array) {
  await writeFile(join(dir, 'file'), content)
  return { path: join(dir, 'file'), name: 'file' }
}

async function read(
  content: string,
  signal: AbortSignal,
  reading?: (share: number) => void,
): Promise<Importing> {
  const deps = {
    dataset: host,
    messages: null as unknown as Table,
    clock: nodeClock(),
    scratch: { disk: nodeDisk(), removeTree: (path: string) => rm(path, { recursive: true, force: true }) },
    dir: join(dir, 'scratch'),
    signal,
    ...(reading && { reading }),
  }
  const options = { map: {}, set: {}, timeFormat: null, zone: 'UTC', header: null }
  return Importing.read(await lookAt(await file(content), null, dir), options, deps)
}

/** Lets `stop` happen right before the `nth` statement, and counts them. */
function beforeStatement(nth: number, stop: () => void) {
  const { run } = ImportEngine.prototype
  const begun = { statements: 0 }
  vi.spyOn(ImportEngine.prototype, 'run').mockImplementation(function (this: ImportEngine, sql: string) {
    if (++begun.statements === nth) stop()
    return run.call(this, sql)
  })
  return begun
}

test('told to stop between any two statements, an import begins no other', async () => {
  const all = beforeStatement(0, () => {})
  await (await read(ROWS, new AbortController().signal)).close()
  vi.restoreAllMocks()
  expect(all.statements).toBeGreaterThan(3)
  for (let nth = 1; nth <= all.statements; nth++) {
    const stopping = new AbortController()
    const begun = beforeStatement(nth, () => stopping.abort(STOPPED))
    await expect(read(ROWS, stopping.signal)).rejects.toBe(STOPPED)
    expect(begun.statements).toBe(nth)
    expect(await readdir(dir)).toEqual(['file'])
    vi.restoreAllMocks()
  }
})

test('told to stop just as a long statement begins, it ends at once', async () => {
  const stopping = new AbortController()
  const long = 'SELECT count(*) FROM range(100000000000) a(i), range(100000) b(j) WHERE i * j % 7 = 3'
  const deps = {
    dir: join(dir, 'scratch'),
    scratch: { disk: nodeDisk(), removeTree: (path: string) => rm(path, { recursive: true, force: true }) },
    clock: nodeClock(),
    signal: stopping.signal,
  }
  const engine = await ImportEngine.open(deps)
  const running = engine.run(long)
  stopping.abort(STOPPED)
  await expect(running).rejects.toBe(STOPPED)
  await engine.close()
}, 5_000)

test.each([
  ['gzip', gzipSync(ROWS)],
  ['zstd', zstdCompressSync(ROWS)],
  ['none', Buffer.from(ROWS)],
  ['gzip', Buffer.concat([gzipSync(ROWS), gzipSync(ROWS)])],
  ['gzip', Buffer.concat([gzipSync(ROWS), Buffer.alloc(3 << 20)])],
] as const)('a file that is looked at is digested whole (%s)', async (compression, content) => {
  const found = await lookAt(await file(content), null, dir)
  expect(found).toMatchObject({ compression, sha256: createHash('sha256').update(content).digest('hex') })
  expect(found.head.text.startsWith(ROWS)).toBe(true)
})

test('it is told how far the reading of a large file is', async () => {
  const shares: number[] = []
  const large = ROWS + ROWS.split('\n')[1]!.concat('\n').repeat(400_000)
  const importing = await read(large, new AbortController().signal, (share) => shares.push(share))
  expect(importing.preview.staged.accepted).toBe(400_001)
  await importing.close()
  expect(shares.length).toBeGreaterThan(1)
  expect(shares).toEqual([...shares].sort((a, b) => a - b))
  expect(shares.every((share) => share >= 0 && share <= 1)).toBe(true)
  expect(shares.at(-1)).toBeGreaterThan(0)
}, 30_000)
