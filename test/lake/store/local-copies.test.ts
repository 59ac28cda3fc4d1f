import { expect, test } from 'vitest'
import { SimClock } from '../../sim/clock.ts'
import { SimDisk } from '../../sim/disk.ts'
import { openTide } from './bucket.ts'
import { FakeS3 } from './fake-s3.ts'

const HOUR_MS = 3_600_000

function rig() {
  const s3 = new FakeS3()
  const disk = new SimDisk(1)
  const clock = new SimClock(0)
  for (const key of ['a', 'b', 'c']) s3.objects.set(`lake/${key}`, new Uint8Array(60).fill(key.charCodeAt(0)))
  const open = () => {
    const { store } = openTide(s3, { disk, clock })
    return (key: string) => store.localCopy!(key, (bytes) => whole(key, bytes))
  }
  return { s3, disk, clock, open }
}

function whole(key: string, bytes: Uint8Array | null): Uint8Array {
  if (bytes?.length === 60 && bytes.every((byte) => byte === key.charCodeAt(0))) return bytes
  throw new Error('damaged')
}

test('an object is got once, also by callers at the same time and by the next process', async () => {
  const { s3, disk, open } = rig()
  const copy = open()
  const [path, again] = await Promise.all([copy('a'), copy('a')])
  expect(again).toBe(path)
  expect(await open()('a')).toBe(path)
  expect((await disk.readFile(path))?.length).toBe(60)
  expect(s3.requests).toHaveLength(1)
})

test('a damaged copy is got again, a damaged object is an error and leaves none', async () => {
  const { s3, disk, open } = rig()
  const path = await open()('a')
  await (await disk.open(path))!.write(5, new Uint8Array([0]))
  expect(await open()('a')).toBe(path)
  expect(whole('a', await disk.readFile(path))).toBeTruthy()
  s3.objects.set('lake/b', new Uint8Array(3))
  await expect(open()('b')).rejects.toThrow('damaged')
  expect(disk.paths()).toEqual([path])
})

test('above the limit those longest not asked for go, but none that was asked for within the hour', async () => {
  const { disk, clock, open } = rig()
  const copy = open()
  const first = await copy('a')
  const second = await copy('b')
  expect(disk.paths().sort()).toEqual([first, second].sort())
  await clock.advance(HOUR_MS)
  await copy('a')
  const third = await copy('c')
  expect(disk.paths().sort()).toEqual([first, third].sort())
})
