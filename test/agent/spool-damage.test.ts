import { expect, test } from 'vitest'
import type { Queued } from '../../agent/backlog.ts'
import { readSpool } from '../../agent/spool/format.ts'
import { openSpool } from '../../agent/spool/spool.ts'
import { host } from '../../schemas/datasets/host.ts'
import { SimDisk } from '../sim/disk.ts'
import { simRandom } from '../sim/random.ts'

const DIR = '/spool'
const BYTES_MAX = 24_000
const SAMPLES = 120
const SETTLED = 15
const POSITIONS = 2_000

const sample = (n: number) => ({
  names: ['übung', `web-${n % 7}`],
  timeMs: 1_764_000_000_000 + n,
  gauges: [n % 101, n / 3, 0],
})

async function openOn(files: ReadonlyMap<string, Uint8Array>) {
  const disk = new SimDisk(1)
  for (const [path, bytes] of files) disk.put(path, bytes)
  const lines: string[] = []
  const random = simRandom(2)
  const spool = await openSpool(
    { dir: DIR, dataset: host, bytesMax: BYTES_MAX },
    { disk, random, logLine: (line) => void lines.push(line) },
  )
  return { spool, disk, lines }
}

/** The files of an agent that was started twice and whose first samples are acknowledged. */
async function written(): Promise<Map<string, Uint8Array>> {
  let files = new Map<string, Uint8Array>()
  for (const [from, to] of [
    [1, SAMPLES / 2],
    [SAMPLES / 2 + 1, SAMPLES],
  ] as const) {
    const { spool, disk } = await openOn(files)
    for (let n = from; n <= to; n++) {
      await spool.push(sample(n))
      if (n === SETTLED + 5) spool.settled(SETTLED)
    }
    await spool.close()
    files = new Map(
      disk.paths().flatMap((path) => (path.endsWith('.spool') ? [[path, disk.bytesOf(path)]] : [])),
    )
  }
  return files
}

/** What is read back from damaged files; whatever it is, it is what was put in, in order. */
async function readBack(files: ReadonlyMap<string, Uint8Array>) {
  const { spool, lines } = await openOn(files)
  const found: Queued[] = []
  for (let seq = SETTLED; ; seq = found.at(-1)!.seq) {
    const some = await spool.after(seq, 100)
    if (some.length === 0) break
    found.push(...some)
  }
  const wrong = found.filter(({ seq, ...rest }) => JSON.stringify(rest) !== JSON.stringify(sample(seq)))
  expect(wrong).toEqual([])
  const left = found.map(({ seq }) => seq)
  const isLeft = new Set(left)
  expect(left.every((seq, i) => i === 0 || seq > left[i - 1]!)).toBe(true)
  const { lost } = spool
  await spool.push(sample(0))
  const next = spool.highestSeq
  await spool.close()
  return { missing: WAITING.filter((n) => !isLeft.has(n)), lost, next, lines }
}

const WAITING = Array.from({ length: SAMPLES - SETTLED }, (_, i) => SETTLED + 1 + i)
const waitingIn = (bytes: Uint8Array) =>
  readSpool(bytes).records.flatMap(({ number }) => (number > SETTLED ? [number] : []))

test(`with any of ${POSITIONS} bits flipped, one sample is lost, or the file whose head it is; no number comes twice`, async () => {
  const files = await written()
  const paths = [...files.keys()]
  expect(paths.length).toBeGreaterThan(3)
  const random = simRandom(41)
  for (let i = 0; i < POSITIONS; i++) {
    const path = paths[Math.floor(random.float() * paths.length)]!
    const damaged = files.get(path)!.slice()
    damaged[Math.floor(random.float() * damaged.length)]! ^= 1 << Math.floor(random.float() * 8)
    const { missing, lost, next, lines } = await readBack(new Map([...files, [path, damaged]]))
    const inFile = waitingIn(files.get(path)!)
    if (readSpool(damaged).head === null) {
      expect([missing, lost]).toEqual([inFile, inFile.length])
      expect(lines.join()).toContain('the head of')
    } else {
      expect(missing.length).toBeLessThanOrEqual(1)
      expect(missing.every((n) => inFile.includes(n))).toBe(true)
      // The very last may have been a torn write, and damage of older files is told when it is met.
      if (path === paths.at(-1) && missing[0] !== SAMPLES) expect(lost).toBe(missing.length)
    }
    expect(next).toBeGreaterThan(SAMPLES)
  }
})

test(`cut at any of ${POSITIONS} bytes, every record before that is kept`, async () => {
  const files = await written()
  const paths = [...files.keys()]
  const random = simRandom(42)
  for (let i = 0; i < POSITIONS; i++) {
    const path = paths[Math.floor(random.float() * paths.length)]!
    const whole = files.get(path)!
    const cut = whole.slice(0, Math.floor(random.float() * whole.length))
    const { missing } = await readBack(new Map([...files, [path, cut]]))
    const kept = readSpool(cut).head === null ? [] : waitingIn(cut)
    expect(missing).toEqual(waitingIn(whole).filter((n) => !kept.includes(n)))
  }
})
