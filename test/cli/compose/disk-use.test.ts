import { expect, test } from 'vitest'
import { diskUse } from '../../../cli/compose/disk-use.ts'
import { SimClock } from '../../sim/clock.ts'
import { SimDisk } from '../../sim/disk.ts'

test('bytes are told by what lies in the directory, counted again only after a rest', async () => {
  const [disk, clock] = [new SimDisk(1), new SimClock(0)]
  const write = async (dir: string, name: string, bytes: number) => {
    await disk.makeDir(dir)
    const file = await disk.open(`${dir}/${name}`, { create: true })
    await file.write(0, new Uint8Array(bytes))
    await file.close()
  }
  await write('/data/journal', 'a', 10)
  await write('/data/lake/messages/date=2026-11-22', 'b', 200)
  await write('/data', 'index.db', 30)
  await write('/data', 'index.db-wal', 4)
  await write('/data/agent', 'id', 5)
  const use = diskUse('/data', { disk, clock, room: async () => ({ free: 70, size: 1_000 }) })
  expect(use()).toBe(null)
  const first = {
    journal_bytes: 10,
    lake_bytes: 200,
    index_bytes: 34,
    rejects_bytes: 0,
    other_bytes: 5,
    free_bytes: 70,
    disk_bytes: 1_000,
  }
  await expect.poll(use).toEqual(first)
  await write('/data/rejects', '2026-11-22.ndjson', 9)
  expect(use()).toEqual(first)
  await clock.advance(10_000)
  use()
  await expect.poll(use).toEqual({ ...first, rejects_bytes: 9 })
})
