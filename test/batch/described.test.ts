import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { describeByDuckdb } from '../../batch/engines/described.ts'
import { nodeDisk } from '../../cli/host/disk.ts'
import { describeCells, encodeCells } from '../../lake/parquet/cells.ts'
import { CellFold } from '../../schemas/cell-fold.ts'
import { host } from '../../schemas/datasets/host.ts'
import { toColumns } from '../../schemas/message.ts'
import { serviceMinute } from '../../schemas/views/service-minute.ts'
import { nastyMessages } from '../schemas/nasty-messages.ts'

let dir: string
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "tidemark-described-'it's-"))
})
afterAll(() => rm(dir, { recursive: true }))

test('a file is told of as its cells are, and nothing of it stays', async () => {
  const describe = describeByDuckdb(dir, nodeDisk())
  for (const messages of fc.sample(nastyMessages(host), { numRuns: 5, seed: 3 })) {
    const fold = new CellFold(serviceMinute)
    fold.addAll(toColumns(host, messages))
    const cells = fold.cells()
    const about = await describe(serviceMinute, encodeCells(cells), '2026-11-22')
    expect(about).toEqual(describeCells(cells, { date: '2026-11-22' }))
  }
  expect(await readdir(dir)).toEqual([])
})

test('every value is read: a file that is damaged anywhere is refused', async () => {
  const describe = describeByDuckdb(dir, nodeDisk())
  const [messages] = fc.sample(nastyMessages(host), { numRuns: 1, seed: 5 })
  const fold = new CellFold(serviceMinute)
  fold.addAll(toColumns(host, messages!))
  const bytes = encodeCells(fold.cells())
  // Behind the magic number begins the first page.
  await expect(describe(serviceMinute, bytes.with(4, bytes[4]! ^ 0xff), '2026-11-22')).rejects.toThrow()
  await expect(describe(serviceMinute, bytes.subarray(0, 40), '2026-11-22')).rejects.toThrow()
  expect(await readdir(dir)).toEqual([])
})
