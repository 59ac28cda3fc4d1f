import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { segmentName } from '../../../log/journal/segment-name.ts'
import { SimDisk } from '../../sim/disk.ts'
import { Incarnation } from '../../sim/incarnation.ts'
import { simRandom } from '../../sim/random.ts'
import { block, contents, DIR, idOf, openOn } from './samples.ts'

/** The files of a journal of `n` blocks, one sync each, closed in order. */
async function written(n: number, segmentBytesMax = 1 << 20): Promise<Map<string, Uint8Array>> {
  const disk = new SimDisk(1)
  const log = await openOn(disk, { segmentBytesMax })
  for (let i = 1; i <= n; i++) await log.append(0, block('a', i))
  await log.close()
  return new Map(disk.paths().map((path) => [path, disk.bytesOf(path)]))
}

function diskOf(files: ReadonlyMap<string, Uint8Array>): SimDisk {
  const disk = new SimDisk(1)
  for (const [path, bytes] of files) if (path.startsWith(DIR)) disk.put(path, bytes)
  return disk
}

test('cut at any byte, a journal keeps every whole block and goes on', async () => {
  const files = await written(4)
  const [path, bytes] = [...files][0]!
  let before = -1
  for (let size = 0; size < bytes.length; size++) {
    const log = await openOn(diskOf(new Map([[path, bytes.slice(0, size)]])))
    expect(log.end(log.partition)).toBeGreaterThanOrEqual(before)
    before = log.end(log.partition)
    await log.append(log.partition, block('b', 1))
    const { blocks, gaps } = await contents(log)
    expect([gaps, blocks.at(-1)]).toEqual([[], `${before + 1}:b/1`])
    expect(log.senders.highestSeq('a')).toBe(before + 1)
  }
  expect(before).toBe(2)
})

test('with any byte flipped, every other block is kept and the gap is named', async () => {
  const n = 6
  const files = await written(n)
  const [path, bytes] = [...files][0]!
  for (let at = 0; at < bytes.length; at++) {
    const damaged = bytes.slice()
    damaged[at]! ^= 1 << (at % 8)
    const log = await openOn(diskOf(new Map([[path, damaged]])))
    const { blocks, gaps } = await contents(log)
    // The newest block alone is proven by nothing after it.
    if (log.end(0) === n - 2) expect([blocks.length, gaps.length]).toEqual([n - 1, 0])
    else expect([log.end(0), blocks.length + gaps.length]).toEqual([n - 1, gaps.length === 0 ? n : n])
    if (gaps.length > 0) {
      expect(gaps).toHaveLength(1)
      expect(log.state().gaps[0]).toMatchObject({ partition: 0, reason: expect.stringMatching(/damaged/) })
    }
  }
})

test('damage in an older segment is a gap of what stood there', async () => {
  const files = await written(40, 700)
  expect(files.size).toBeGreaterThan(5)
  const [path, bytes] = [...files][1]!
  const random = simRandom(7)
  for (let round = 0; round < 50; round++) {
    const damaged = bytes.slice()
    const from = Math.floor(random.float() * bytes.length)
    damaged.fill(0xff, from, from + 1 + Math.floor(random.float() * 200))
    const log = await openOn(diskOf(new Map([...files, [path, damaged]])))
    const { blocks, gaps } = await contents(log)
    const missing = gaps.reduce((sum, gap) => {
      const [after, to] = gap.split(',').map(Number)
      return sum + to! - after!
    }, 0)
    expect(blocks.length + missing).toBe(40)
    expect(log.senders.highestSeq('a')).toBe(40)
  }
})

test('a missing segment is a gap', async () => {
  const files = await written(40, 700)
  files.delete([...files.keys()][2]!)
  const log = await openOn(diskOf(files))
  const { blocks, gaps } = await contents(log)
  expect(gaps).toHaveLength(1)
  expect(blocks[0]).toBe('0:a/1')
  expect(blocks.at(-1)).toBe('39:a/40')
})

test('a damaged head is computed again from the segment before', async () => {
  const files = await written(40, 700)
  const last = [...files.keys()].filter((path) => path.endsWith('.journal')).at(-1)!
  const damaged = files.get(last)!.slice()
  damaged[17]! ^= 4
  const log = await openOn(diskOf(new Map([...files, [last, damaged]])))
  expect([log.end(0), log.senders.highestSeq('a')]).toEqual([39, 40])
  expect((await contents(log)).gaps).toEqual([])
})

test('a last segment of which nothing can be read is set aside, and what it may have held is a gap', async () => {
  const files = await written(40, 700)
  const paths = [...files.keys()].filter((path) => path.endsWith('.journal'))
  const last = paths.at(-1)!
  const disk = diskOf(new Map([...files, [last, new Uint8Array(files.get(last)!.length)]]))
  const log = await openOn(disk)
  const { firstOffset } = idOf(last)
  expect(log.end(0)).toBeGreaterThanOrEqual(39)
  const { blocks, gaps } = await contents(log)
  expect([blocks.length, gaps]).toEqual([firstOffset, [`${firstOffset - 1},${log.end(0)}`]])
  expect(disk.has(`${last}.aside`)).toBe(true)
  expect(await log.append(0, block('b', 1))).toBe(log.end(0))
})

test('damage at the end of a segment that was the last but for one being made is a gap: no offset comes twice', async () => {
  const files = await written(6)
  const [path, bytes] = [...files][0]!
  const torn = `${path.slice(0, path.lastIndexOf('/'))}/${segmentName({ ...idOf(path), firstOffset: 6 })}`
  const damaged = bytes.slice()
  damaged[bytes.length - 1]! ^= 1
  const disk = diskOf(
    new Map([
      [path, damaged],
      [torn, bytes.slice(0, 10)],
    ]),
  )
  const log = await openOn(disk, { seed: 2 })
  expect(await log.append(0, block('b', 1))).toBe(6)
  expect((await contents(log)).gaps).toEqual(['4,5'])
  expect(disk.has(torn)).toBe(false)
})

test('whatever was acknowledged survives any series of crashes and power losses, in order', async () => {
  const steps = fc.array(
    fc.oneof(
      fc.constant('append'),
      fc.constant('group'),
      fc.constant('power'),
      fc.constant('process'),
      fc.constant('trim'),
    ),
    { minLength: 5, maxLength: 40 },
  )
  await fc.assert(
    fc.asyncProperty(fc.nat(1e6), steps, async (seed, plan) => {
      const disk = new SimDisk(seed)
      const random = simRandom(seed)
      let life = new Incarnation()
      const open = () => openOn(life.gate(disk, { wraps: ['open'] }), { segmentBytesMax: 700 })
      let log = await open()
      const acknowledged: string[] = []
      let seq = 0
      const append = async () => {
        const mine = ++seq
        const offset = await log.append(0, block('a', mine))
        acknowledged.push(`${offset}:a/${mine}`)
      }
      for (const step of plan) {
        if (step === 'append') await append()
        else if (step === 'group') await Promise.all([append(), append(), append()])
        else if (step === 'trim') await log.trim({ 0: Math.floor(random.float() * (log.end(0) + 1)) })
        else {
          // Something is in flight when it dies: whatever of it was written may be kept or not.
          void log.append(0, block('a', ++seq)).catch(() => {})
          for (let i = Math.floor(random.float() * 8); i > 0; i--) await Promise.resolve()
          life.die()
          disk.crash(step as 'power')
          life = new Incarnation()
          log = await open()
          seq = log.senders.highestSeq('a')
        }
      }
      const { blocks, gaps } = await contents(log)
      expect(gaps).toEqual([])
      expect(blocks).toEqual(
        expect.arrayContaining(acknowledged.filter((one) => Number.parseInt(one, 10) > log.start(0))),
      )
      expect(blocks.map((one) => Number.parseInt(one, 10))).toEqual(
        blocks.map((_, i) => log.start(0) + 1 + i),
      )
    }),
    { numRuns: 300 },
  )
})
