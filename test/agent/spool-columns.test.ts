import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Backlog, Sample } from '../../agent/backlog.ts'
import { readSpool } from '../../agent/spool/format.ts'
import { frame } from '../../agent/spool/frame.ts'
import { openSpool } from '../../agent/spool/spool.ts'
import type { Dataset } from '../../schemas/dataset.ts'
import { host } from '../../schemas/datasets/host.ts'
import { scores } from '../schemas/nasty-messages.ts'
import { SimDisk } from '../sim/disk.ts'
import { simRandom } from '../sim/random.ts'

const DIR = '/spool'
const FIRST = `${DIR}/0000000000000001.spool`

const open = (disk: SimDisk, dataset: Dataset): Promise<Backlog> =>
  openSpool({ dir: DIR, dataset, bytesMax: 1 << 20 }, { disk, random: simRandom(1), logLine: () => {} })

const ofHost = (n: number): Sample => ({ names: ['web', 'web-1'], timeMs: n, gauges: [n, 2, 3] })
const ofScores = (n: number): Sample => ({
  names: ['A', 'free'],
  timeMs: n,
  gauges: [n, Number.NaN, 5],
})

/** A disk on which an agent of `dataset` left these samples. */
async function left(dataset: Dataset, ...samples: Sample[]): Promise<SimDisk> {
  const disk = new SimDisk(1)
  const spool = await open(disk, dataset)
  for (const sample of samples) await spool.push(sample)
  await spool.close()
  return disk
}

/** `host` as a later release may have it: with one more gauge, which may be absent. */
const grown: Dataset = {
  ...host,
  gauges: [{ ...host.gauges[0]!, name: 'load', optional: true }, ...host.gauges],
}

async function waiting(spool: Backlog): Promise<Sample[]> {
  const found: Sample[] = []
  for (let from = 0; ; ) {
    const some = await spool.after(from, 100)
    if (some.length === 0) return found
    found.push(...some.map(({ seq: _, ...sample }) => sample))
    from = some.at(-1)!.seq
  }
}

test('the head of a file names the dataset and the columns of its samples', async () => {
  const disk = await left(host, ofHost(1))
  const { head } = readSpool(disk.bytesOf(FIRST))
  expect(head).toMatchObject({
    dataset: 'host',
    columns: ['service', 'host', 'time_stamp', 'cpu', 'ram', 'disk'],
  })
})

test('samples of any dataset come back as they were, also from disk, absent gauges absent', async () => {
  const samples = Array.from({ length: 1_500 }, (_, n) => ofScores(n))
  const spool = await open(await left(scores, ...samples), scores)
  expect(await waiting(spool)).toEqual(samples)
  await spool.close()
})

test('a file of another dataset is refused by its name, kept, and the folder is free again', async () => {
  const disk = await left(scores, ofScores(1))
  const before = disk.bytesOf(FIRST).slice()
  await expect(open(disk, host)).rejects.toMatchObject({
    code: 'E_COLUMNS',
    message: expect.stringMatching(/0000000000000001\.spool.*of dataset scores, not host.*kept/),
  })
  expect([disk.bytesOf(FIRST), disk.paths().filter((path) => path.endsWith('.spool'))]).toEqual([
    before,
    [FIRST],
  ])
  const spool = await open(disk, scores)
  expect(await waiting(spool)).toEqual([ofScores(1)])
  await spool.close()
})

test.each([
  ['a gauge fewer', { ...host, gauges: host.gauges.slice(1) }],
  [
    'a gauge more that is required',
    { ...host, gauges: [...host.gauges, { ...host.gauges[0]!, name: 'net' }] },
  ],
  [
    'another name of a gauge',
    { ...host, gauges: host.gauges.map((one) => ({ ...one, name: `${one.name}s` })) },
  ],
  ['another source', { ...host, source: 'machine' }],
])('a file of other columns is refused: %s', async (_, dataset) => {
  const disk = await left(host, ofHost(1))
  await expect(open(disk, dataset)).rejects.toMatchObject({ code: 'E_COLUMNS' })
})

test('columns that make no sense are refused too, and not taken for damage', async () => {
  for (const columns of ['service', [1], ['service', 'host'], []]) {
    const disk = new SimDisk(1)
    const head = { agent: 'a', base: 0, first: 1, dataset: 'host', columns }
    disk.put(FIRST, Buffer.concat([frame(head), frame([1, 'web', 'web-1', 1, 1, 2, 3])]))
    await expect(open(disk, host)).rejects.toMatchObject({ code: 'E_COLUMNS' })
  }
})

test('files of the format before, whose heads name no columns, are those of host', async () => {
  const before = (disk: SimDisk) =>
    disk.put(
      FIRST,
      Buffer.concat([
        frame({ agent: '5f2b9c', base: 0, first: 1 }),
        frame({ settled: 0, lost: 0 }),
        frame([1, 'web', 'web-1', 1, 1, 2, 3]),
        frame(0),
      ]),
    )
  const disk = new SimDisk(1)
  before(disk)
  const spool = await open(disk, host)
  await spool.push(ofHost(2))
  expect([spool.agent, await waiting(spool)]).toEqual(['5f2b9c', [ofHost(1), ofHost(2)]])
  await spool.close()
  const other = new SimDisk(1)
  before(other)
  await expect(open(other, scores)).rejects.toMatchObject({ code: 'E_COLUMNS' })
})

test('a dataset may gain an optional gauge: samples from before lack it, those behind them have it', async () => {
  const disk = await left(host, ofHost(1))
  const late: Sample = { ...ofHost(2), gauges: [0.5, 2, 2, 3] }
  const first = await open(disk, grown)
  await first.push(late)
  const expected = [{ ...ofHost(1), gauges: [Number.NaN, 1, 2, 3] }, late]
  expect(await waiting(first)).toEqual(expected)
  await first.close()
  const second = await open(disk, grown)
  expect(await waiting(second)).toEqual(expected)
  await second.close()
})

test('on a full disk a sample is not written behind a head of other columns', async () => {
  const disk = await left(host)
  disk.capacityBytes = disk.usedBytes()
  const full = await open(disk, grown)
  disk.capacityBytes = Number.POSITIVE_INFINITY
  const late: Sample = { ...ofHost(2), gauges: [0.5, 2, 2, 3] }
  await full.push(late)
  await full.close()
  const again = await open(disk, grown)
  expect(await waiting(again)).toEqual([late])
  await again.close()
})

/** What may stand in a frame: nearly right, or anything. */
const payload = fc.oneof(
  fc.json().map((text) => JSON.parse(text)),
  fc.tuple(fc.integer(), fc.anything(), fc.string(), fc.double(), fc.double(), fc.double(), fc.double()),
  fc.record({ settled: fc.anything(), lost: fc.anything() }),
  fc.record({ agent: fc.string(), base: fc.anything(), first: fc.anything(), columns: fc.anything() }),
)

test('whatever stands in a file, reading it throws nothing and gives samples of its columns', () => {
  const framed = payload.map((value) => frame(value ?? null))
  const bytes = fc.oneof(fc.uint8Array({ maxLength: 40 }), framed)
  fc.assert(
    fc.property(fc.array(bytes, { maxLength: 8 }), (pieces) => {
      const file = Buffer.concat(pieces)
      const { head, records, mark, bytes: readable } = readSpool(file)
      expect(readable).toBeLessThanOrEqual(file.length)
      for (const { number, names, timeMs, gauges } of records) {
        expect(Number.isSafeInteger(number) && Number.isFinite(timeMs)).toBe(true)
        expect([...names].every((name) => typeof name === 'string')).toBe(true)
        expect(gauges.every((value) => typeof value === 'number')).toBe(true)
      }
      if (mark !== null)
        expect(Number.isSafeInteger(mark.settled) && Number.isSafeInteger(mark.lost)).toBe(true)
      if (head !== null)
        expect(Number.isSafeInteger(head.base) && Number.isSafeInteger(head.first)).toBe(true)
    }),
    { numRuns: 2_000 },
  )
})

test('a frame that is whole and holds no JSON is damage', () => {
  for (const bytes of [0, 1, 5]) {
    const whole = frame('x'.repeat(bytes))
    // The checksum is right, and what it is of is not JSON.
    const broken = Buffer.from(whole)
    broken.fill(0x7b, 8)
    expect(readSpool(withSum(broken)).records).toEqual([])
  }
})

/** The frame with the checksum of what is in it. */
function withSum(bytes: Buffer): Buffer {
  const { crc32 } = process.getBuiltinModule('node:zlib')
  bytes.writeUInt32LE(crc32(bytes.subarray(8), crc32(bytes.subarray(0, 4))), 4)
  return bytes
}
