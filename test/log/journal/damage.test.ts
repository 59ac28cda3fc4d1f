import { expect, test } from 'vitest'
import { scanSegment } from '../../../log/journal/scan.ts'
import { type Columns, messageAt } from '../../../schemas/message.ts'
import { encodeBlock } from '../../sim/blocks.ts'
import { SimDisk } from '../../sim/disk.ts'
import { hostColumns } from '../../sim/messages.ts'
import { simRandom } from '../../sim/random.ts'
import { idOf, openOn, START_MS } from './samples.ts'

const SEGMENT_BYTES_MAX = 8_000
const GROUPS = 20
const POSITIONS = 2_000

/** A block as a collector with several senders, some of them without numbers, makes it. */
function mixed(random: () => number, seqs: number[]): Columns {
  const messages = Array.from({ length: 1 + Math.floor(random() * 50) }, () => {
    const sender = Math.floor(random() * (seqs.length + 1))
    const numbered = sender < seqs.length
    if (numbered) seqs[sender]! += 1
    return {
      service: `service-${Math.floor(random() * 4)}`,
      host: `wirt-ü-${sender}`,
      timeMs: START_MS + Math.floor(random() * 1e6),
      gauges: [random() * 100, Math.floor(random() * 100), 0],
      agent: numbered ? `agent-${sender}` : null,
      seq: numbered ? seqs[sender]! : null,
    }
  })
  return hostColumns(messages)
}

/** A journal's files, the content of every block, and for each file where its blocks end and its last write began. */
async function written() {
  const disk = new SimDisk(1)
  const random = simRandom(7)
  const seqs = [0, 0, 0]
  const blocks = new Map<number, Columns>()
  const payloads = new Map<number, Buffer>()
  const log = await openOn(disk, { segmentBytesMax: SEGMENT_BYTES_MAX })
  for (let group = 0; group < GROUPS; group++) {
    const some = Array.from({ length: 1 + Math.floor(random.float() * 3) }, () =>
      mixed(() => random.float(), seqs),
    )
    const offsets = await Promise.all(some.map((block) => log.append(0, encodeBlock(block))))
    offsets.forEach((offset, i) => {
      blocks.set(offset, some[i]!)
      payloads.set(offset, encodeBlock(some[i]!))
    })
  }
  await log.close()
  const paths = disk.paths().filter((path) => path.endsWith('.journal'))
  const files = new Map(paths.map((path) => [path, disk.bytesOf(path)]))
  const records = new Map(
    paths.map((path) => [path, scanSegment(Buffer.from(files.get(path)!), idOf(path)).records]),
  )
  return { files, records, blocks, payloads, seqs }
}

/** Everything the journal in `files` gives back, and what it says of itself. */
async function readBack(files: ReadonlyMap<string, Uint8Array>, floor: number) {
  const disk = new SimDisk(1)
  for (const [path, bytes] of files) disk.put(path, bytes)
  const options = { segmentBytesMax: SEGMENT_BYTES_MAX, floor: { 0: floor } }
  const log = await openOn(disk, options)
  const found = new Map<number, Uint8Array>()
  const gaps = new Set<number>()
  for (let after = log.start(0); after < log.end(0); ) {
    const slice = await log.read(0, after, 7)
    for (const { offset, messages } of slice.blocks) found.set(offset, encodeBlock(messages))
    for (const gap of slice.gaps) for (let offset = gap.from + 1; offset <= gap.to; offset++) gaps.add(offset)
    expect(slice.to).toBeGreaterThan(after)
    after = slice.to
  }
  const seqs = [0, 1, 2].map((sender) => log.senders.highestSeq(`agent-${sender}`))
  const next = await log.append(0, encodeBlock(hostColumns([])))
  await log.close()
  // What was mended is whole: a second start finds the same.
  const again = await openOn(disk, options)
  expect(again.end(0)).toBe(next)
  await again.close()
  return { found, gaps, seqs, next }
}

/** Offsets of blocks that came back with other content than they had. */
function wrongOf(found: ReadonlyMap<number, Uint8Array>, payloads: ReadonlyMap<number, Buffer>): number[] {
  return [...found].flatMap(([offset, payload]) => (payloads.get(offset)?.equals(payload) ? [] : [offset]))
}

/** The highest number of each agent in the blocks with these offsets. */
function highest(blocks: ReadonlyMap<number, Columns>, offsets: Iterable<number>): number[] {
  const seqs = [0, 0, 0]
  for (const offset of offsets) {
    const messages = blocks.get(offset)!
    for (let i = 0; i < messages.length; i++) {
      const { agent, seq } = messageAt(messages, i)
      const sender = Number(agent?.at(-1))
      if (agent !== null) seqs[sender] = Math.max(seqs[sender]!, seq!)
    }
  }
  return seqs
}

test(`with any of ${POSITIONS} bits flipped, what is given back is what was put in, and what is missing is a gap`, async () => {
  const { files, records, blocks, payloads, seqs } = await written()
  const isKnown = (known: readonly number[], found: ReadonlyMap<number, unknown>) => {
    const least = highest(blocks, found.keys())
    return known.every((seq, s) => seq >= least[s]!)
  }
  const paths = [...files.keys()]
  expect(paths.length).toBeGreaterThan(5)
  const last = Math.max(...blocks.keys())
  const newest = records.get(paths.at(-1)!)!
  // The blocks of the newest write are proven by nothing behind them.
  const lastSynced = newest.at(-1)!.syncedTo
  const random = simRandom(43)
  for (let i = 0; i < POSITIONS; i++) {
    const path = paths[Math.floor(random.float() * paths.length)]!
    const damaged = files.get(path)!.slice()
    const at = Math.floor(random.float() * damaged.length)
    damaged[at]! ^= 1 << Math.floor(random.float() * 8)
    const { found, gaps, seqs: known, next } = await readBack(new Map([...files, [path, damaged]]), -1)
    expect(wrongOf(found, payloads)).toEqual([])
    const missing = [...blocks.keys()].filter((offset) => !found.has(offset))
    const hit = records.get(path)!.find(({ position, end }) => at >= position && at < end)
    if (path === paths.at(-1) && at >= lastSynced) {
      expect(missing).toEqual([...blocks.keys()].filter((offset) => offset >= hit!.offset))
      expect([gaps.size, next]).toEqual([0, hit!.offset])
      expect(isKnown(known, found)).toBe(true)
    } else {
      expect(missing).toEqual(hit === undefined ? [] : [hit.offset])
      expect([...gaps]).toEqual(missing)
      expect(next).toBe(last + 1)
      // A block of the newest segment took its agents' numbers with it; older ones stand in the next head.
      if (path === paths.at(-1)) expect(isKnown(known, found)).toBe(true)
      else expect(known).toEqual(seqs)
    }
  }
})

test(`cut at any of ${POSITIONS} bytes, every whole block before that is kept, and no offset that the lake names comes twice`, async () => {
  const { files, records, blocks, payloads } = await written()
  const paths = [...files.keys()]
  const path = paths.at(-1)!
  const bytes = files.get(path)!
  const first = records.get(path)![0]!.offset
  const random = simRandom(44)
  for (let i = 0; i < POSITIONS; i++) {
    const cut = Math.floor(random.float() * bytes.length)
    const kept = records.get(path)!.filter(({ end }) => end <= cut)
    const end = kept.at(-1)?.offset ?? first - 1
    // The lake names something before the cut, or something that the cut took.
    const floor = Math.floor(random.float() * (blocks.size - 1))
    const { found, gaps, next } = await readBack(new Map([...files, [path, bytes.slice(0, cut)]]), floor)
    expect(wrongOf(found, payloads)).toEqual([])
    expect(found.size).toBe(end + 1)
    expect(next).toBe(Math.max(end, floor) + 1)
    expect(gaps.size).toBe(Math.max(0, floor - end))
  }
})
