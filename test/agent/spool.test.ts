import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Backlog, Queued } from '../../agent/backlog.ts'
import { readSpool } from '../../agent/spool/format.ts'
import { openSpool } from '../../agent/spool/spool.ts'
import { host } from '../../schemas/datasets/host.ts'
import { TidemarkError } from '../../schemas/errors.ts'
import type { Disk } from '../../schemas/ports/disk.ts'
import { SimDisk } from '../sim/disk.ts'
import { Incarnation } from '../sim/incarnation.ts'
import { simRandom } from '../sim/random.ts'

const DIR = '/spool'
/** So small that a dozen samples fill a file. */
const BYTES_MAX = 8_000
const random = simRandom(1)
const lines: string[] = []

const open = (disk: Disk, bytesMax = 1 << 20): Promise<Backlog> =>
  openSpool({ dir: DIR, dataset: host, bytesMax }, { disk, random, logLine: (line) => void lines.push(line) })

const sample = (n: number) => ({ names: ['übung', 'web-1'], timeMs: n, gauges: [n, n / 3, 0] })

async function pushed(disk: Disk, count: number, bytesMax?: number): Promise<Backlog> {
  const spool = await open(disk, bytesMax)
  for (let n = spool.highestSeq + 1, end = n + count; n < end; n++) await spool.push(sample(n))
  return spool
}

/** Everything that waits, read as an agent does. */
async function all(spool: Backlog, from = 0): Promise<Queued[]> {
  const found: Queued[] = []
  for (let seq = from; ; seq = found.at(-1)!.seq) {
    const some = await spool.after(seq, 7)
    if (some.length === 0) return found
    found.push(...some)
  }
}

const spoolFiles = (disk: SimDisk) => disk.paths().filter((path) => path.endsWith('.spool'))

/** From now on every call of that kind fails. */
function refuse(disk: SimDisk, call: string, code: 'E_DISK' | 'E_DISK_FULL' = 'E_DISK'): void {
  disk.fault = (what) => {
    if (what === call) throw new TidemarkError(code, `no ${call}`)
  }
}

const seqs = async (spool: Backlog) => (await all(spool)).map(({ seq }) => seq)
const upTo = (n: number) => Array.from({ length: n }, (_, i) => i + 1)

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

test('a full disk loses what cannot be kept, says so, and nothing else', async () => {
  const disk = new SimDisk(1)
  const spool = await pushed(disk, 5)
  disk.capacityBytes = disk.usedBytes() + 20
  await expect(spool.push(sample(6))).rejects.toMatchObject({ code: 'E_DISK_FULL' })
  await expect(spool.push(sample(7))).rejects.toMatchObject({ code: 'E_DISK_FULL' })
  disk.capacityBytes = Number.POSITIVE_INFINITY
  await spool.push(sample(8))
  expect((await all(spool)).map(({ seq, timeMs }) => [seq, timeMs])).toEqual([
    ...upTo(5).map((n) => [n, n]),
    [6, 8],
  ])
  expect(spool.lost).toBe(2)
  await spool.close()
})

test('what was lost is known after a restart, until a collector was told', async () => {
  const disk = new SimDisk(1)
  const first = await pushed(disk, 500, BYTES_MAX)
  const { lost } = first
  await first.close()
  const second = await pushed(disk, 1, BYTES_MAX)
  expect([lost > 300, second.lost - lost <= 20]).toEqual([true, true])
  second.told(second.lost)
  await second.close()
  const third = await open(disk, BYTES_MAX)
  expect(third.lost).toBe(0)
  await third.close()
})

test('told while nothing is sampled, it is not told again after a crash', async () => {
  const disk = new SimDisk(1)
  const first = await pushed(disk, 500, BYTES_MAX)
  first.told(first.lost - 3)
  await new Promise((resolve) => setImmediate(resolve))
  disk.crash('power')
  const second = await open(disk, BYTES_MAX)
  expect(second.lost).toBe(3)
  await second.close()
})

test('what is given up stays where it cannot be written down that it is lost', async () => {
  const disk = new SimDisk(1)
  const spool = await pushed(disk, 100, BYTES_MAX)
  const { lost, highestSeq } = spool
  disk.fault = (what) => {
    if (what === 'write' && spool.lost > lost) throw new TidemarkError('E_DISK', 'it fails')
  }
  let kept = 0
  const before = [...(await seqs(spool))]
  for (let n = 101; spool.lost === lost; n++) {
    await spool.push(sample(n)).then(
      () => (kept += 1),
      () => {},
    )
  }
  disk.crash('process')
  disk.fault = null
  const again = await open(disk, BYTES_MAX)
  expect(again.lost).toBe(lost)
  expect(await seqs(again)).toEqual([...before, ...upTo(kept).map((n) => highestSeq + n)])
  await again.close()
})

test('a file whose head is damaged stays until it is written down what was lost with it', async () => {
  const disk = new SimDisk(1)
  const first = await pushed(disk, 50)
  await first.close()
  const path = spoolFiles(disk)[0]!
  disk.flip(path, 10, 1)
  refuse(disk, 'write', 'E_DISK_FULL')
  const second = await open(disk)
  expect(second.lost).toBe(50)
  disk.crash('process')
  disk.fault = null
  const third = await open(disk)
  expect([third.lost, third.size]).toEqual([50, 0])
  await third.push(sample(51))
  disk.crash('process')
  const fourth = await open(disk)
  expect([fourth.lost, await seqs(fourth)]).toEqual([50, [51]])
  await fourth.close()
})

test('what was lost with a damaged head is counted once, whether its file goes or stays', async () => {
  const disk = new SimDisk(1)
  const first = await pushed(disk, 5)
  await first.close()
  disk.flip(spoolFiles(disk)[0]!, 10, 1)
  refuse(disk, 'remove')
  const lost: number[] = []
  for (let start = 0; start < 3; start++) {
    const spool = await open(disk)
    lost.push(spool.lost)
    spool.told(spool.lost)
    await spool.close()
  }
  expect(lost).toEqual([5, 0, 0])
})

test('on a full disk a file whose head is damaged makes room', async () => {
  const disk = new SimDisk(1)
  const first = await pushed(disk, 500)
  await first.close()
  disk.flip(spoolFiles(disk)[0]!, 10, 1)
  disk.capacityBytes = disk.usedBytes()
  const second = await open(disk)
  await second.push(sample(501))
  expect([second.lost, second.size]).toEqual([500, 1])
  await second.close()
})

test('killed while a file is begun in the place of another, nothing is counted as lost', async () => {
  const disk = new SimDisk(1)
  const first = await pushed(disk, 20)
  await first.close()
  disk.capacityBytes = disk.usedBytes() + 10
  const second = await open(disk)
  second.settled(20)
  refuse(disk, 'truncate')
  await expect(second.push(sample(21))).rejects.toMatchObject({ code: 'E_DISK' })
  disk.fault = null
  disk.crash('process')
  const third = await open(disk)
  expect([third.agent, third.highestSeq, third.lost]).toEqual([first.agent, 20, 0])
  await third.close()
})

test('a file that could not be begun says nothing of what is lost', async () => {
  const disk = new SimDisk(1)
  const first = await pushed(disk, 2, BYTES_MAX)
  refuse(disk, 'syncDir')
  let failed = 0
  for (let n = 0; failed < 3 && n < 100; n++) await first.push(sample(3 + n)).catch(() => (failed += 1))
  disk.fault = null
  // So short that there is room for it in the file before.
  await first.push({ names: ['s', 'h'], timeMs: 1, gauges: [] })
  const { lost } = first
  disk.crash('process')
  const second = await open(disk, BYTES_MAX)
  expect([failed, lost, second.lost]).toEqual([3, 3, 3])
  await second.close()
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

test('given up and not removed, a sample is counted and not sent after a crash', async () => {
  const disk = new SimDisk(1)
  const first = await pushed(disk, 100, BYTES_MAX)
  const { lost } = first
  refuse(disk, 'remove')
  for (let n = 101; first.lost === lost; n++) await first.push(sample(n))
  const left = await seqs(first)
  disk.crash('process')
  disk.fault = null
  const second = await open(disk, BYTES_MAX)
  expect([second.lost, second.size]).toEqual([first.lost, left.length])
  expect(await seqs(second)).toEqual(left)
  expect(disk.usedBytes()).toBeLessThanOrEqual(BYTES_MAX)
  await second.close()
})

test('on a full disk it opens, gives what waits, and goes on when that has made room', async () => {
  const disk = new SimDisk(1)
  const first = await pushed(disk, 60, BYTES_MAX)
  await first.close()
  disk.capacityBytes = disk.usedBytes()
  const second = await open(disk, BYTES_MAX)
  expect([second.agent, await seqs(second)]).toEqual([first.agent, upTo(60)])
  await expect(second.push(sample(61))).rejects.toMatchObject({ code: 'E_DISK_FULL' })
  second.settled(40)
  await second.push(sample(62))
  expect((await all(second)).map(({ timeMs }) => timeMs)).toEqual([...upTo(60).slice(40), 62])
  expect(second.lost).toBe(1)
  await second.close()
})

test('on a full disk the numbers in use are known although all of them are settled, and what is settled makes room', async () => {
  const disk = new SimDisk(1)
  const first = await pushed(disk, 60, BYTES_MAX)
  await first.close()
  disk.capacityBytes = disk.usedBytes()
  const second = await open(disk, BYTES_MAX)
  second.settled(60)
  disk.crash('power')
  const third = await open(disk, BYTES_MAX)
  expect([third.agent, third.highestSeq]).toEqual([first.agent, 60])
  third.settled(60)
  disk.capacityBytes = disk.usedBytes()
  await third.push(sample(61))
  disk.crash('power')
  const last = await open(disk, BYTES_MAX)
  expect([last.agent, await all(last)]).toEqual([first.agent, [{ ...sample(61), seq: 61 }]])
  await last.close()
})

test('no room for a new id leaves the old one, and what is pushed next is kept', async () => {
  const disk = new SimDisk(1)
  const spool = await open(disk)
  const { agent } = spool
  disk.capacityBytes = 10
  await expect(spool.renumber('another')).rejects.toMatchObject({ code: 'E_DISK_FULL' })
  disk.capacityBytes = Number.POSITIVE_INFINITY
  await spool.push(sample(1))
  await spool.close()
  const again = await open(disk)
  expect([again.agent, await seqs(again)]).toEqual([agent, [1]])
  await again.close()
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
