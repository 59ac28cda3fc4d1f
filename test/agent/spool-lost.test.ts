import { expect, test } from 'vitest'
import { TidemarkError } from '../../schemas/errors.ts'
import { SimDisk } from '../sim/disk.ts'
import { all, BYTES_MAX, refuse, sample, seqs, spoolFiles, spoolRig, upTo } from './spool-rig.ts'

const { open, pushed } = spoolRig()

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
