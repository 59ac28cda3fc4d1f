import { crc32 } from 'node:zlib'
import { expect, test } from 'vitest'
import { FORMAT_VERSION } from '../../../log/journal/segment-head.ts'
import { TidemarkError } from '../../../schemas/errors.ts'
import { decodeBlock } from '../../sim/blocks.ts'
import { SimClock } from '../../sim/clock.ts'
import { SimDisk } from '../../sim/disk.ts'
import { block, contents, DIR, openOn, START_MS } from './samples.ts'

test('offsets count from 0 and blocks come back as they were appended', async () => {
  const log = await openOn(new SimDisk(1))
  expect(log.end(0)).toBe(-1)
  expect(await Promise.all([log.append(0, block('a', 1, 50)), log.append(0, block('b', 1))])).toEqual([0, 1])
  const { blocks, to, toMs } = await log.read(0, -1, 10)
  expect(blocks[0]).toMatchObject({
    partition: 0,
    offset: 0,
    logTimeMs: START_MS,
    messages: decodeBlock(block('a', 1, 50)),
  })
  expect([to, toMs, log.senders.highestSeq('a'), log.senders.highestSeq('b')]).toEqual([1, START_MS, 50, 1])
})

test('blocks appended together share one sync', async () => {
  const disk = new SimDisk(1)
  const log = await openOn(disk, { segmentBytesMax: 1 << 20 })
  const before = disk.syncs
  await Promise.all(Array.from({ length: 100 }, (_, i) => log.append(0, block('a', i + 1))))
  expect(disk.syncs - before).toBe(1)
})

test('what the lake does not cover is counted to the block, also within a segment', async () => {
  const log = await openOn(new SimDisk(1), { segmentBytesMax: 1 << 20 })
  for (let i = 1; i <= 40; i++) await log.append(0, block('a', i))
  const sizes = Array.from({ length: 40 }, (_, i) => {
    log.covered({ 0: i })
    return log.uncoveredBytes()
  })
  const steps = sizes.slice(1).map((size, i) => sizes[i]! - size)
  expect(Math.min(...steps)).toBeGreaterThan(0)
  expect(Math.max(...steps)).toBeLessThan(2 * Math.min(...steps))
  expect(sizes.at(-1)).toBe(0)
})

test('a reopened journal goes on where it ended, over many segments', async () => {
  const disk = new SimDisk(1)
  const clock = new SimClock(START_MS)
  const first = await openOn(disk, { clock })
  for (let i = 1; i <= 40; i++) await first.append(0, block('a', i))
  await first.close()
  clock.step(-60_000)
  const second = await openOn(disk, { clock })
  expect([second.end(0), second.senders.highestSeq('a'), second.state().segments > 2]).toEqual([39, 40, true])
  expect(await second.append(0, block('a', 41))).toBe(40)
  const { blocks, toMs } = await second.read(0, 39, 1)
  expect([blocks[0]!.offset, toMs]).toEqual([40, START_MS])
  expect((await contents(second)).blocks).toHaveLength(41)
})

test('trim forgets whole segments and keeps what agents sent', async () => {
  const disk = new SimDisk(1)
  const log = await openOn(disk)
  await log.append(0, block('gone', 7))
  for (let i = 1; i <= 40; i++) await log.append(0, block('a', i))
  await log.trim({ 0: 30 })
  expect(log.start(0)).toBeGreaterThan(0)
  expect(log.start(0)).toBeLessThanOrEqual(30)
  await expect(log.read(0, log.start(0) - 1, 1)).rejects.toMatchObject({ code: 'E_TRIMMED' })
  await log.close()
  const again = await openOn(disk)
  expect([again.senders.highestSeq('gone'), again.senders.highestSeq('a'), again.end(0)]).toEqual([7, 40, 40])
})

test('what was cut can be forgotten to its last block, and nothing behind it', async () => {
  const disk = new SimDisk(1)
  const log = await openOn(disk)
  for (let i = 1; i <= 5; i++) await log.append(0, block('a', i))
  const going = log.append(0, block('a', 6))
  const cut = await log.cut()
  await going
  await log.append(0, block('a', 7))
  await log.trim(cut)
  expect([cut, log.start(0), log.end(0)]).toEqual([{ 0: 4 }, 4, 6])
  expect([await log.cut(), await log.cut()]).toEqual([{ 0: 6 }, { 0: 6 }])
  await log.trim({ 0: 6 })
  await log.close()
  const again = await openOn(disk)
  expect([again.start(0), again.end(0), again.senders.highestSeq('a')]).toEqual([6, 6, 7])
  expect(await again.append(0, block('a', 8))).toBe(7)
})

test('a cut that the disk refuses can be asked for again', async () => {
  const disk = new SimDisk(1)
  const log = await openOn(disk)
  await log.append(0, block('a', 1))
  disk.fault = () => {
    throw new TidemarkError('E_DISK_FULL', 'no space left')
  }
  await expect(log.cut()).rejects.toMatchObject({ code: 'E_DISK_FULL' })
  disk.fault = null
  expect([await log.append(0, block('a', 2)), await log.cut()]).toEqual([1, { 0: 1 }])
})

test('the state at the head of a segment forgets agents unseen for 90 days', async () => {
  const clock = new SimClock(START_MS)
  const log = await openOn(new SimDisk(1), { clock })
  await log.append(0, block('gone', 7))
  clock.step(91 * 86_400_000)
  // The clock is believed by then.
  await clock.advance(11 * 60_000)
  for (let i = 1; i <= 20; i++) await log.append(0, block('a', i))
  expect([log.senders.highestSeq('gone'), log.senders.highestSeq('a')]).toEqual([0, 20])
})

test('a full disk stalls, says so, and resumes alone', async () => {
  const disk = new SimDisk(1)
  const clock = new SimClock(START_MS)
  const log = await openOn(disk, { clock })
  await log.append(0, block('a', 1))
  disk.capacityBytes = disk.bytesOf(disk.paths()[0]!).length + 100
  const appended = log.append(0, block('a', 2))
  await clock.advance(10_000)
  expect(log.state()).toMatchObject({ state: 'disk_full' })
  expect([log.end(0), log.pendingBytes() > 0]).toEqual([0, true])
  disk.capacityBytes = 1e9
  await clock.advance(1_000)
  expect(await appended).toBe(1)
  expect([log.state().state, log.pendingBytes()]).toEqual(['ok', 0])
})

test('a write or sync that fails is cut back and done again', async () => {
  for (const failing of ['write', 'sync', 'truncate']) {
    const disk = new SimDisk(1)
    const clock = new SimClock(START_MS)
    const log = await openOn(disk, { clock })
    await log.append(0, block('a', 1))
    let left = 2
    disk.fault = (what) => {
      if (left > 0 && (what === failing || what === 'sync')) {
        left -= 1
        throw new TidemarkError('E_DISK', 'the disk says no')
      }
    }
    const appended = log.append(0, block('a', 2))
    await clock.advance(5_000)
    expect(await appended).toBe(1)
    disk.crash('power')
    expect((await contents(await openOn(disk))).blocks).toEqual(['0:a/1', '1:a/2'])
  }
})

test('closing while the disk fails refuses what waits and does not hang', async () => {
  const disk = new SimDisk(1)
  const log = await openOn(disk)
  disk.fault = () => {
    throw new TidemarkError('E_DISK', 'the disk says no')
  }
  const appended = log.append(0, block('a', 1))
  await log.close()
  await expect(appended).rejects.toMatchObject({ code: 'E_CLOSED' })
  await expect(log.append(0, block('a', 2))).rejects.toMatchObject({ code: 'E_CLOSED' })
})

test('a second opener is refused and told who holds it', async () => {
  const disk = new SimDisk(1)
  const log = await openOn(disk)
  await expect(openOn(disk)).rejects.toMatchObject({
    code: 'E_LOCKED',
    message: expect.stringMatching(/a test/),
  })
  await log.close()
  await (await openOn(disk)).close()
})

test('a journal that ends below what the lake names goes on behind that, and names what is missing', async () => {
  const disk = new SimDisk(1)
  const first = await openOn(disk)
  await first.append(0, block('a', 5))
  await first.close()
  const second = await openOn(disk, { floor: { 0: 3 } })
  expect([second.partition, second.end(0), second.senders.highestSeq('a')]).toEqual([0, 3, 5])
  await second.append(0, block('a', 6))
  await second.close()
  const third = await openOn(disk, { floor: { 0: 3 } })
  const { blocks, to } = await third.read(0, -1, 10)
  expect([blocks.map(({ offset }) => offset), to]).toEqual([[0], 3])
  expect((await third.read(0, -1, 10)).gaps).toMatchObject([{ partition: 0, from: 0, to: 3 }])
  expect((await third.read(0, 2, 10)).gaps).toMatchObject([{ partition: 0, from: 2, to: 3 }])
  expect((await third.read(0, 3, 10)).blocks.map(({ offset }) => offset)).toEqual([4])
  await third.close()
})

test('a journal that is gone begins the next partition, with what the lake knows of the agents', async () => {
  const agentsInLake = async () => new Map([['a', { seq: 7, lastMs: 0 }]])
  const log = await openOn(new SimDisk(1), { floor: { 4: 9 }, agentsInLake })
  expect([log.partition, log.end(5), log.senders.highestSeq('a')]).toEqual([5, -1, 7])
})

test('a partition is begun behind what the lake names once it is fenced', async () => {
  const disk = new SimDisk(1)
  let fences = 0
  const fenceLake = async () => {
    fences += 1
    return { 0: 3 }
  }
  const first = await openOn(disk, { fenceLake })
  expect([first.partition, fences]).toEqual([1, 1])
  await first.close()
  const second = await openOn(disk, { fenceLake })
  expect([second.partition, fences]).toEqual([1, 1])
  await second.close()
})

test('a journal of another format is refused by name', async () => {
  const disk = new SimDisk(1)
  await (await openOn(disk)).close()
  const path = disk.paths().find((name) => name.endsWith('.journal'))!
  const bytes = Buffer.from(disk.bytesOf(path))
  bytes.writeUInt32LE(FORMAT_VERSION + 1, 8)
  bytes.writeUInt32LE(crc32(bytes.subarray(0, 20)), 20)
  disk.put(path, bytes)
  await expect(openOn(disk)).rejects.toMatchObject({ code: 'E_JOURNAL_VERSION' })
  const first = new SimDisk(1)
  first.put(`${DIR}/0000000000-00000000000000000000.journal`, new Uint8Array())
  await expect(openOn(first)).rejects.toMatchObject({
    code: 'E_JOURNAL_VERSION',
    message: expect.stringMatching(/0\.journal has format version 1/),
  })
  expect([disk.handles.size, first.handles.size]).toEqual([0, 0])
})

test('a segment that cannot be begun on a full disk leaves no file open, however often it is tried', async () => {
  const disk = new SimDisk(1)
  const clock = new SimClock(START_MS)
  const log = await openOn(disk, { clock, segmentBytesMax: 1 })
  await log.append(0, block('a', 1, 50))
  disk.capacityBytes = disk.usedBytes() + 10
  const appended = log.append(0, block('a', 51, 50))
  await clock.advance(60_000)
  expect([log.state().state, disk.handles.size]).toEqual(['disk_full', 1])
  const files = disk.paths().length
  disk.capacityBytes = Number.POSITIVE_INFINITY
  await clock.advance(2_000)
  expect([await appended, disk.handles.size, disk.paths().length]).toEqual([1, 2, files])
  await log.close()
  expect(disk.handles.size).toBe(0)
})

test('a journal that cannot be opened on a full disk leaves no file open', async () => {
  const disk = new SimDisk(1)
  const first = await openOn(disk)
  await first.append(0, block('a', 1))
  await first.close()
  disk.capacityBytes = disk.usedBytes()
  await expect(openOn(disk, { floor: { 0: 9 } })).rejects.toMatchObject({ code: 'E_DISK_FULL' })
  expect(disk.handles.size).toBe(0)
})

test('what a follower throws is no failure of the journal: nothing is written twice', async () => {
  const lines: string[] = []
  const log = await openOn(new SimDisk(1), { lines })
  log.onAppend(() => {
    throw new Error('a follower of ours')
  })
  await log.append(0, block('a', 1))
  await log.append(0, block('a', 2))
  expect([log.end(0), lines.length]).toEqual([1, 2])
})
