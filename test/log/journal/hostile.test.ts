import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { RECORD_HEAD_BYTES, writeRecordHead } from '../../../log/journal/record.ts'
import { scanSegment } from '../../../log/journal/scan.ts'
import { checksumSeed, type SegmentId, segmentName } from '../../../log/journal/segment-name.ts'
import { host } from '../../../schemas/datasets/host.ts'
import { toColumns } from '../../../schemas/message.ts'
import { encodeBlock } from '../../sim/blocks.ts'
import { SimDisk } from '../../sim/disk.ts'
import { damaged } from '../damaged.ts'
import { block, contents, DIR, idOf, openOn, START_MS } from './samples.ts'

const pathOf = (id: SegmentId) => `${DIR}/${segmentName(id)}`

/** The segments of a journal of `count` blocks; `first` is the payload of block 1. */
async function segments(options: {
  count: number
  segmentBytesMax: number
  seed?: number
  first?: Uint8Array
}) {
  const disk = new SimDisk(1)
  const log = await openOn(disk, options)
  for (let i = 0; i < options.count; i++)
    await log.append(0, i === 1 && options.first ? options.first : block('a', i + 1))
  await log.close()
  const paths = disk.paths().filter((path) => path.endsWith('.journal'))
  return new Map(paths.map((path) => [path, disk.bytesOf(path)]))
}

function diskOf(files: ReadonlyMap<string, Uint8Array>): SimDisk {
  const disk = new SimDisk(1)
  for (const [path, bytes] of files) disk.put(path, bytes)
  return disk
}

/** Gauge values whose bytes are a record of block `offset`, if it stands where they do in the segment `id`. */
function spelled(offset: number, position: number, id: SegmentId): Uint8Array {
  const record = new Uint8Array(RECORD_HEAD_BYTES + 8)
  const payload = record.subarray(RECORD_HEAD_BYTES)
  const about = { offset, position, syncedTo: position, logTimeMs: START_MS, seed: checksumSeed(id) }
  writeRecordHead(Buffer.from(record.buffer), 0, payload, about)
  return record
}

/** A block whose values of the first gauge are `bytes`. */
function blockOf(bytes: Uint8Array): Uint8Array {
  const values = [...new Float64Array(bytes.buffer)]
  const rest = { names: ['w', 'h'], timeMs: START_MS, agent: null, seq: null }
  return encodeBlock(
    toColumns(
      host,
      values.map((value) => ({ ...rest, gauges: [value, 1, 1] })),
    ),
  )
}

/** What is read of a journal in which block 1 spells a record of itself, and a bit of its real head flips. */
async function readSpelled(knowing: (real: SegmentId) => SegmentId) {
  const plain = await segments({ count: 6, segmentBytesMax: 1 << 20 })
  const [path, bytes] = [...plain][0]!
  const record = scanSegment(Buffer.from(bytes), idOf(path)).records[1]!
  const places = spelled(1, 0, idOf(path)).length / 8
  // The gauge's values begin behind all but two gauges of the payload; the form and names are the same for any values.
  const length = blockOf(new Uint8Array(places * 8)).length
  const position = record.position + RECORD_HEAD_BYTES + length - 3 * 8 * places
  const first = blockOf(spelled(1, position, knowing(idOf(path))))
  const files = await segments({ count: 6, segmentBytesMax: 1 << 20, first })
  const hurt = files.get(path)!.slice()
  hurt[record.position + 9]! ^= 1
  return contents(await openOn(diskOf(new Map([[path, hurt]]))))
}

test('values that spell a record are none, for a sender that knows all but the mark of the segment', async () => {
  const { blocks, gaps } = await readSpelled((real) => ({ ...real, mark: '00000000' }))
  expect(blocks.map((one) => Number.parseInt(one, 10))).toEqual([0, 2, 3, 4, 5])
  expect(gaps).toEqual(['0,1'])
})

test('even with the mark they lead to no more than a block that says that it is none', async () => {
  await expect(readSpelled((real) => real)).rejects.toMatchObject({ code: 'E_COLUMNS' })
})

test('bytes of another segment, or of another place in it, are no part of a segment', async () => {
  const files = await segments({ count: 30, segmentBytesMax: 700 })
  const [first, second, third] = [...files.keys()] as [string, string, string]
  const whole = scanSegment(Buffer.from(files.get(second)!), idOf(second))
  expect(whole.head).not.toBeNull()
  expect(whole.records.length).toBeGreaterThan(1)
  for (const other of [first, third])
    expect(scanSegment(Buffer.from(files.get(other)!), idOf(second))).toMatchObject({
      head: null,
      records: [],
    })
  const moved = Buffer.concat([Buffer.alloc(8), files.get(second)!])
  expect(scanSegment(moved, idOf(second))).toMatchObject({ head: null, records: [] })
  // A journal of the same blocks that began at another time.
  const twin = await segments({ count: 30, segmentBytesMax: 700, seed: 2 })
  const stranger = [...twin.keys()][1]!
  expect(idOf(stranger).firstOffset).toBe(idOf(second).firstOffset)
  expect(scanSegment(Buffer.from(twin.get(stranger)!), idOf(second)).records).toEqual([])
  const swapped = new Map([...files, [second, files.get(third)!], [third, files.get(second)!]])
  const { blocks, gaps } = await contents(await openOn(diskOf(swapped)))
  expect(gaps.length).toBeGreaterThan(0)
  for (const one of blocks) expect(one).toMatch(new RegExp(`:a/${Number.parseInt(one, 10) + 1}$`))
})

test('a record must follow what stands before it', async () => {
  const files = await segments({ count: 4, segmentBytesMax: 1 << 20 })
  const [path, bytes] = [...files][0]!
  const { records } = scanSegment(Buffer.from(bytes), idOf(path))
  const far = Buffer.from(bytes)
  const { position, payloadBytes } = records[2]!
  const payload = far.subarray(position + RECORD_HEAD_BYTES, position + RECORD_HEAD_BYTES + payloadBytes)
  const about = {
    offset: 1e9,
    position,
    syncedTo: position,
    logTimeMs: START_MS,
    seed: checksumSeed(idOf(path)),
  }
  writeRecordHead(far, position, payload, about)
  expect(scanSegment(far, idOf(path)).records.map(({ offset }) => offset)).toEqual([0, 1, 3])
})

test('whatever bytes its files hold, a journal opens, gives back nothing but what was put in, and goes on', async () => {
  const files = await segments({ count: 30, segmentBytesMax: 900 })
  const paths = [...files.keys()]
  expect(paths.length).toBeGreaterThan(4)
  const hurt = fc
    .uniqueArray(fc.constantFrom(...paths), { minLength: 1, maxLength: paths.length })
    .chain((some) =>
      fc.tuple(
        ...some.map((path) =>
          fc
            .oneof({ weight: 3, arbitrary: damaged(files.get(path)!) }, fc.uint8Array({ maxLength: 2_000 }))
            .map((bytes) => [path, bytes] as const),
        ),
      ),
    )
  await fc.assert(
    fc.asyncProperty(hurt, async (some) => {
      const disk = diskOf(new Map([...files, ...some]))
      const log = await openOn(disk)
      const { blocks } = await contents(log)
      if (log.partition === 0)
        for (const one of blocks) expect(one).toMatch(new RegExp(`:a/${Number.parseInt(one, 10) + 1}$`))
      const next = await log.append(log.partition, block('b', 1))
      await log.close()
      const again = await openOn(disk)
      expect((await contents(again)).blocks.at(-1)).toBe(`${next}:b/1`)
      await again.close()
      expect(disk.handles.size).toBe(0)
    }),
    { numRuns: 400 },
  )
}, 30_000)

test('names of files that are none of its own are left alone', async () => {
  const files = await segments({ count: 3, segmentBytesMax: 1 << 20 })
  const others = ['notes.txt', '0-0.journal', `${'9'.repeat(10)}-${'9'.repeat(20)}-00000000.journal`]
  const disk = diskOf(
    new Map([...files, ...others.map((name) => [`${DIR}/${name}`, new Uint8Array(9)] as const)]),
  )
  const log = await openOn(disk)
  expect([log.partition, log.end(0)]).toEqual([0, 2])
  expect(others.every((name) => disk.has(`${DIR}/${name}`))).toBe(true)
  expect(pathOf(idOf([...files.keys()][0]!))).toBe([...files.keys()][0])
})
