import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { nodeDisk } from '../../cli/host/disk.ts'
import { localStore } from '../../lake/store/local.ts'
import { MemoryStore } from '../../lake/store/memory.ts'
import type { ObjectStore } from '../../lake/store/port.ts'
import { TidemarkError } from '../../schemas/errors.ts'
import { SimClock } from '../sim/clock.ts'
import { SimDisk } from '../sim/disk.ts'
import { simRandom } from '../sim/random.ts'
import { openTide } from './store/bucket.ts'
import { FakeS3 } from './store/fake-s3.ts'

let dir: string
let made = 0
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'tidemark-store-'))
})
afterAll(() => rm(dir, { recursive: true }))

const STORES: { [kind: string]: () => ObjectStore | Promise<ObjectStore> } = {
  memory: () => new MemoryStore(new SimClock(0)),
  'simulated disk': () => localStore(new SimDisk(1), '/data/lake', simRandom(1)),
  disk: () => localStore(nodeDisk(), join(dir, String(made++), 'lake'), simRandom(1)),
  bucket: () => openTide(new FakeS3()).store,
}

const bytes = (text: string) => new TextEncoder().encode(text)
const text = (found: Uint8Array | null) => found && new TextDecoder().decode(found)
const keys = async (store: ObjectStore, prefix: string, after?: string) =>
  (await store.list(prefix, after)).map(({ key }) => key)

for (const [kind, open] of Object.entries(STORES)) {
  test(`${kind}: an object is what was put last, absent is null`, async () => {
    const store = await open()
    expect(await store.get('a/b')).toBe(null)
    await store.put('a/b', bytes('one'))
    await store.put('a/b', bytes('two'))
    expect(text(await store.get('a/b'))).toBe('two')
    await store.delete('a/b')
    await store.delete('a/b')
    expect(await store.get('a/b')).toBe(null)
  })

  test(`${kind}: whether an object is there`, async () => {
    const store = await open()
    const has = store.has ?? (async (key) => (await store.get(key)) !== null)
    for (const key of ['a/b', 'a/b.c', 'a/empty']) await store.put(key, bytes(key === 'a/empty' ? '' : 'one'))
    await store.delete('a/b')
    const asked = ['a/b', 'a/b.c', 'a/empty', 'a', 'b/c']
    expect(await Promise.all(asked.map((key) => has.call(store, key)))).toEqual([
      false,
      true,
      true,
      false,
      false,
    ])
  })

  test(`${kind}: one of many puts of an absent key wins, and its bytes stay`, async () => {
    const store = await open()
    const won = await Promise.all([0, 1, 2, 3, 4].map((i) => store.putIfAbsent('log/0.json', bytes(`${i}`))))
    expect(won.filter(Boolean).length).toBe(1)
    expect(text(await store.get('log/0.json'))).toBe(String(won.indexOf(true)))
  })

  test(`${kind}: a list is sorted by key, below a prefix, after a key`, async () => {
    const store = await open()
    const all = [
      't.x',
      't/_log/1.json',
      't/_log/2.json',
      't/_log/2.parquet',
      't/d=1/a',
      't/d=1/b',
      't/d=10/a',
      'u/a',
    ]
    for (const key of [...all].reverse()) await store.put(key, bytes(key))
    expect(await keys(store, '')).toEqual(all)
    expect(await keys(store, 't/')).toEqual(all.slice(1, 7))
    expect(await keys(store, 't/d=1')).toEqual(['t/d=1/a', 't/d=1/b', 't/d=10/a'])
    expect(await keys(store, 't/_log/', 't/_log/1.json')).toEqual(['t/_log/2.json', 't/_log/2.parquet'])
    expect(await keys(store, '', 't/d=1')).toEqual(all.slice(4))
    expect(await keys(store, 't/', 't/d=1/a')).toEqual(['t/d=1/b', 't/d=10/a'])
    expect(await keys(store, 'none/')).toEqual([])
    expect((await store.list('u/'))[0]).toMatchObject({ size: 3, modifiedMs: expect.any(Number) })
  })
}

test('keys that lead out of the folder are refused', async () => {
  const store = await localStore(new SimDisk(1), '/data/lake', simRandom(1))
  for (const key of ['../x', 'a/../../x', '/etc/x', 'a//b', '.', '', 'a/.tmp-1', 'a\0b']) {
    await expect(store.put(key, bytes(''))).rejects.toMatchObject({ code: 'E_STORE' })
    await expect(store.get(key)).rejects.toMatchObject({ code: 'E_STORE' })
  }
})

test('what put returned for survives a power loss, whole; what was being written is gone', async () => {
  for (let seed = 0; seed < 20; seed++) {
    const disk = new SimDisk(seed)
    const store = await localStore(disk, '/data/lake', simRandom(seed))
    await store.put('t/a', bytes('one'))
    expect(await store.putIfAbsent('t/b', bytes('two'))).toBe(true)
    disk.fault = (what) => {
      if (what === 'link' || what === 'rename') throw new TidemarkError('E_DISK', 'power lost')
    }
    await store.put('t/a', bytes('three')).catch(() => {})
    await store.putIfAbsent('t/c', bytes('four')).catch(() => {})
    disk.fault = null
    disk.crash('power')
    const again = await localStore(disk, '/data/lake', simRandom(seed + 100))
    expect([text(await again.get('t/a')), text(await again.get('t/b'))]).toEqual(['one', 'two'])
    expect(await keys(again, '')).toEqual(['t/a', 't/b'])
    expect(disk.paths().filter((path) => path.includes('.tmp-'))).toEqual([])
  }
})

test('a failure before the name is a refusal, one after it is ambiguous', async () => {
  const disk = new SimDisk(1)
  const store = await localStore(disk, '/data/lake', simRandom(1))
  await store.put('t/a', bytes('one'))
  for (const [at, code] of [
    ['write', 'E_STORE'],
    ['sync', 'E_STORE'],
    ['rename', 'E_STORE_AMBIGUOUS'],
    ['syncDir', 'E_STORE_AMBIGUOUS'],
  ]) {
    disk.fault = (what) => {
      if (what === at) throw new TidemarkError('E_DISK', 'no')
    }
    await expect(store.put('t/a', bytes('two'))).rejects.toMatchObject({ code })
  }
})

test('a full disk is a refusal that says so and leaves nothing behind', async () => {
  const disk = new SimDisk(1)
  const store = await localStore(disk, '/data/lake', simRandom(1))
  disk.capacityBytes = 10
  const refused = { code: 'E_STORE', message: expect.stringMatching(/no space/) }
  await expect(store.putIfAbsent('t/a', new Uint8Array(11))).rejects.toMatchObject(refused)
  expect(disk.paths()).toEqual([])
  disk.capacityBytes = 100
  expect(await store.putIfAbsent('t/a', new Uint8Array(11))).toBe(true)
})

test('on a real disk temporary files vanish at the next start and are never listed', async () => {
  const root = join(dir, 'stale')
  const store = await localStore(nodeDisk(), root, simRandom(1))
  await store.put('t/a', bytes('one'))
  const file = await nodeDisk().open(join(root, 't/.tmp-dead'), { create: true })
  await file.close()
  expect(await keys(store, '')).toEqual(['t/a'])
  await localStore(nodeDisk(), root, simRandom(2))
  expect(await readdir(join(root, 't'))).toEqual(['a'])
})

test('memory: a fault before an effect prevents it, one after it does not', async () => {
  const store = new MemoryStore(new SimClock(0))
  for (const when of ['before', 'after']) {
    store.faults = (call) => {
      if (call.when === when) throw new TidemarkError('E_STORE_AMBIGUOUS', 'no answer')
    }
    await expect(store.put(when, bytes('x'))).rejects.toMatchObject({ code: 'E_STORE_AMBIGUOUS' })
  }
  store.faults = null
  expect(await keys(store, '')).toEqual(['after'])
})
