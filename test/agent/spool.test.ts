import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Backlog, Queued } from '../../agent/backlog.ts'
import { readSpool } from '../../agent/spool/format.ts'
import { TidemarkError } from '../../schemas/errors.ts'
import { SimDisk } from '../sim/disk.ts'
import { Incarnation } from '../sim/incarnation.ts'
import { simRandom } from '../sim/random.ts'
import { all, BYTES_MAX, sample, seqs, spoolFiles, spoolRig, upTo } from './spool-rig.ts'

const { lines, open, pushed } = spoolRig()

test('samples come back in order, over many files and restarts, under the same id', async () => {
  const disk = new SimDisk(1)
  const first = await pushed(disk, 60, BYTES_MAX)
  await first.close()
  const second = await pushed(disk, 40, BYTES_MAX)
  expect(second.agent).toBe(first.agent)
  expect(await all(second)).toEqual(upTo(100).map((n) => ({ ...sample(n), seq: n })))
  expect([second.size, second.highestSeq, second.lost]).toEqual([100, 100, 0])
  expect(disk.paths().length).toBeGreaterThan(5)
  await second.close()
})

test('what is settled goes with its file, and its numbers are never given out again', async () => {
  const disk = new SimDisk(1)
  const first = await pushed(disk, 100, BYTES_MAX)
  first.settled(100)
  expect([first.size, await all(first)]).toEqual([0, []])
  await first.close()
  expect(spoolFiles(disk)).toHaveLength(1)
  const second = await pushed(disk, 1)
  expect([second.highestSeq, (await second.after(100, 5))[0]?.seq]).toEqual([101, 101])
  await second.close()
})

test('when it is full the oldest go, file by file, counted and said once', async () => {
  const disk = new SimDisk(1)
  lines.length = 0
  const spool = await pushed(disk, 500, BYTES_MAX)
  const left = await seqs(spool)
  expect(left).toEqual(upTo(500).slice(-left.length))
  expect([spool.lost, spool.size]).toEqual([500 - left.length, left.length])
  expect(disk.usedBytes()).toBeLessThanOrEqual(BYTES_MAX)
  expect(lines.filter((line) => line.includes('full'))).toHaveLength(1)
  await spool.close()
})

test('a new id numbers from 1 what waits, and no more', async () => {
  const disk = new SimDisk(1)
  const spool = await pushed(disk, 50, BYTES_MAX)
  const before = await all(spool)
  spool.settled(30)
  await spool.renumber('another')
  const timesOf = (found: readonly Queued[]) => found.map(({ timeMs }) => timeMs)
  expect(timesOf(await all(spool))).toEqual(timesOf(before.slice(30)))
  expect(await seqs(spool)).toEqual(upTo(20))
  await spool.push(sample(51))
  await spool.close()
  const again = await open(disk, BYTES_MAX)
  expect([again.agent, again.highestSeq, again.size]).toEqual(['another', 21, 21])
  expect(await seqs(again)).toEqual(upTo(21))
  await again.close()
})

test('numbers left out for a torn record wait for nobody', async () => {
  const disk = new SimDisk(1)
  const first = await pushed(disk, 3)
  first.settled(1)
  await first.close()
  const path = spoolFiles(disk)[0]!
  disk.put(path, Buffer.concat([disk.bytesOf(path), Buffer.alloc(200)]))
  const second = await open(disk)
  expect([second.size, second.highestSeq > 3]).toEqual([2, true])
  second.settled(second.highestSeq)
  expect(second.size).toBe(0)
  await second.push(sample(4))
  expect(second.size).toBe(1)
  await second.close()
})

test('two agents cannot share a spool', async () => {
  const disk = new SimDisk(1)
  const spool = await open(disk)
  await expect(open(disk)).rejects.toMatchObject({ code: 'E_LOCKED' })
  await spool.close()
})

test('a start that dies early takes back no id', async () => {
  const disk = new SimDisk(1)
  const first = await pushed(disk, 40, BYTES_MAX)
  await first.renumber('another')
  for (const way of ['write', 'truncate', 'sync']) {
    disk.crash('process')
    let dead = false
    disk.fault = (what) => {
      dead ||= what === way
      if (dead) throw new TidemarkError('E_DISK', 'it ends here')
    }
    await expect(open(disk, BYTES_MAX)).rejects.toMatchObject({ code: 'E_DISK' })
    disk.fault = null
  }
  disk.crash('power')
  const last = await open(disk, BYTES_MAX)
  expect([last.agent, await seqs(last)]).toEqual(['another', upTo(40)])
  await last.close()
})

test('a sample that comes while the id changes has a number of its own', async () => {
  const disk = new SimDisk(1)
  const spool = await pushed(disk, 5)
  const changing = spool.renumber('another')
  await Promise.resolve()
  await Promise.all([spool.push(sample(6)), changing])
  await spool.push(sample(7))
  expect((await all(spool)).map(({ seq, timeMs }) => [seq, timeMs])).toEqual(upTo(7).map((n) => [n, n]))
  await spool.close()
})

/** A spool's files, of several of which none is empty. */
async function files(): Promise<Map<string, Uint8Array>> {
  const disk = new SimDisk(1)
  const spool = await pushed(disk, 30, BYTES_MAX)
  await spool.close()
  const kept = spoolFiles(disk)
  return new Map(kept.map((path) => [path, disk.bytesOf(path).slice()]))
}

async function reopened(from: ReadonlyMap<string, Uint8Array>): Promise<Backlog> {
  const disk = new SimDisk(1)
  for (const [path, bytes] of from) disk.put(path, bytes)
  return open(disk, BYTES_MAX)
}

test('cut at any byte, it loses at most the torn record', async () => {
  const whole = await files()
  const [path, bytes] = [...whole].at(-1)!
  const before = 30 - readSpool(bytes).records.length
  for (let cut = 0; cut <= bytes.length; cut++) {
    const { records } = readSpool(bytes.subarray(0, cut))
    const spool = await reopened(new Map([...whole, [path, bytes.subarray(0, cut)]]))
    expect(await seqs(spool)).toEqual(upTo(before + records.length))
    await spool.close()
  }
  // Every record that is there as a whole is read.
  const ends = readSpool(bytes).records.length
  expect(readSpool(bytes.subarray(0, bytes.length - 1)).records).toHaveLength(ends - 1)
})

test('with any bit flipped it opens, and what it gives is what was put in', async () => {
  const whole = await files()
  const places = [...whole].flatMap(([path, bytes]) => Array.from(bytes, (_, at) => [path, at] as const))
  for (const [i, [path, at]] of places.entries()) {
    const damaged = whole.get(path)!.slice()
    damaged[at]! ^= 1 << (i % 8)
    const spool = await reopened(new Map([...whole, [path, damaged]]))
    const found = await all(spool)
    for (const { seq, ...rest } of found) expect(rest).toEqual(sample(seq))
    expect(found.map(({ seq }) => seq)).toEqual(
      [...new Set(found.map(({ seq }) => seq))].sort((a, b) => a - b),
    )
    await spool.close()
  }
  expect(places.length).toBeGreaterThan(1_500)
})

test('a damaged record costs itself alone', async () => {
  const whole = await files()
  const [path, bytes] = [...whole][0]!
  const damaged = bytes.slice()
  const at = Buffer.from(bytes).indexOf('[3,')
  damaged[at + 4]! ^= 1
  const spool = await reopened(new Map([...whole, [path, damaged]]))
  expect(await seqs(spool)).toEqual(upTo(30).filter((n) => n !== 3))
  await spool.close()
})

test('whatever was pushed survives any series of crashes and power losses, in order, each number once', async () => {
  const steps = fc.array(fc.constantFrom('push', 'group', 'settle', 'power', 'process'), {
    minLength: 5,
    maxLength: 40,
  })
  await fc.assert(
    fc.asyncProperty(fc.nat(1e6), steps, async (seed, plan) => {
      const disk = new SimDisk(seed)
      const chance = simRandom(seed)
      let life = new Incarnation()
      const start = () => open(life.gate(disk, { wraps: ['open'] }), 1 << 20)
      let spool = await start()
      const kept = new Map<number, number>()
      let made = 0
      let settled = 0
      const push = async () => {
        const n = ++made
        await spool.push(sample(n))
        const [found] = (await all(spool, settled)).filter(({ timeMs }) => timeMs === n)
        kept.set(found!.seq, n)
      }
      for (const step of plan) {
        if (step === 'push') await push()
        else if (step === 'group') await Promise.all([push(), push(), push()])
        else if (step === 'settle') {
          settled += Math.floor(chance.float() * (spool.highestSeq - settled + 1))
          spool.settled(settled)
        } else {
          // Something is in flight when it dies.
          void spool.push(sample(++made)).catch(() => {})
          for (let i = Math.floor(chance.float() * 8); i > 0; i--) await Promise.resolve()
          life.die()
          disk.crash(step as 'power')
          life = new Incarnation()
          spool = await start()
        }
      }
      const found = new Map((await all(spool, settled)).map(({ seq, timeMs }) => [seq, timeMs]))
      for (const [seq, n] of kept) if (seq > settled) expect(found.get(seq)).toBe(n)
    }),
    { numRuns: 300 },
  )
})
