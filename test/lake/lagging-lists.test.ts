import { expect, test } from 'vitest'
import { backUp, keepNewest } from '../../lake/backup/backup.ts'
import { restore } from '../../lake/backup/restore.ts'
import { openTable } from '../../lake/delta/table.ts'
import { changeDeployment, newestNumber } from '../../lake/deployment-log.ts'
import { takeLease } from '../../lake/lease.ts'
import { newestEntry } from '../../lake/lease-log.ts'
import { MemoryStore } from '../../lake/store/memory.ts'
import type { ObjectStore, StoredObject } from '../../lake/store/port.ts'
import { host } from '../../schemas/datasets/host.ts'
import { hostMinute } from '../../schemas/views/host-minute.ts'
import { SimDisk } from '../sim/disk.ts'
import { simRandom } from '../sim/random.ts'
import { SimStore } from '../sim/store.ts'
import { append, HOUR_MS, seen, world } from './delta/fixture.ts'

/** The store, whose lists show for ever what there is now. */
async function lagging(store: MemoryStore): Promise<ObjectStore> {
  const shown = await store.list('')
  const list = async (prefix: string, after = ''): Promise<StoredObject[]> =>
    shown.filter(({ key }) => key.startsWith(prefix) && key > after)
  return {
    list,
    get: (key) => store.get(key),
    put: (key, bytes) => store.put(key, bytes),
    putIfAbsent: (key, bytes) => store.putIfAbsent(key, bytes),
    delete: (key) => store.delete(key),
  }
}

test('what others committed is seen, and committed on, although no list shows it', async () => {
  const { clock, store, table } = await world()
  const late = openTable('t', { store: await lagging(store), clock, random: simRandom(9) })
  expect((await late.snapshot())?.version).toBe(0)
  for (let n = 1; n <= 3; n++) await append(table)
  expect(seen(await late.snapshot())).toEqual(seen(await table.snapshot()))
  expect((await append(late)).version).toBe(4)
  expect(seen(await table.at(2))).toEqual(seen(await late.at(2)))
})

test('a table that no list shows is there, and is not made a second time', async () => {
  const { clock, store, table, base } = await world()
  await append(table)
  store.objects.clear()
  const empty = await lagging(store)
  const first = openTable('t', { store, clock, random: simRandom(8) })
  await first.create(base.schema, {})
  await append(first)
  const late = openTable('t', { store: empty, clock, random: simRandom(9) })
  expect((await late.create(base.schema, {})).version).toBe(1)
})

test('a table is read from its last checkpoint, although the list shows what was cleaned up since', async () => {
  const { clock, store, table } = await world()
  for (let n = 1; n <= 25; n++) await append(table)
  const before = await lagging(store)
  for (let n = 1; n <= 30; n++) {
    await clock.advance(HOUR_MS)
    await append(table)
    await table.tend(clock.nowMs(), HOUR_MS)
  }
  const late = openTable('t', { store: before, clock, random: simRandom(9) })
  expect(seen(await late.snapshot())).toEqual(seen(await table.snapshot()))
})

test('a table is read although the list shows its newest commits and not the checkpoint before them', async () => {
  const { clock, store, table } = await world()
  for (let n = 1; n <= 60; n++) {
    await clock.advance(HOUR_MS)
    await append(table)
    await table.tend(clock.nowMs(), HOUR_MS)
  }
  const hiding = await lagging(store)
  const list: ObjectStore['list'] = async (prefix, after) =>
    (await hiding.list(prefix, after)).filter(({ key }) => !key.includes('.checkpoint.'))
  const late = openTable('t', { store: { ...hiding, list }, clock, random: simRandom(9) })
  expect(seen(await late.snapshot())).toEqual(seen(await table.snapshot()))
})

test('a file that was removed is not committed, although a list shows it', async () => {
  const { clock, store, table } = await world()
  const base = await append(table)
  await clock.advance(HOUR_MS)
  const about = { partition: { date: '2026-11-22' }, rows: 1, min: { n: 1 }, max: { n: 1 } }
  const file = await table.writeFile(new Uint8Array(3), about)
  await clock.advance(5 * HOUR_MS)
  await append(table)
  const late = openTable('t', { store: await lagging(store), clock, random: simRandom(9) })
  await store.delete(`t/${file.path}`)
  clock.step(-5 * HOUR_MS)
  await expect(late.commit(base, { add: [file], dataChange: true, operation: 'TEST' })).rejects.toMatchObject(
    { code: 'E_CONFLICT' },
  )
})

test('upkeep by lists that lag removes nothing that a version within the retention needs, and all else in the end', async () => {
  const { clock, store } = await world()
  const random = simRandom(1)
  const remote = new SimStore(store, { clock, random })
  remote.trouble.staleListMs = HOUR_MS / 6
  const table = openTable('t', { store: remote, clock, random })
  const isThere = (path: string) => store.objects.has(`t/${path}`)
  for (let n = 1; n <= 40; n++) {
    await clock.advance(HOUR_MS / 12)
    const now = await append(table)
    // Most files are replaced after a while.
    const old = [...now.files.keys()].slice(0, n % 4)
    if (n > 8) await append(table, { remove: old })
    await table.tend(clock.nowMs(), HOUR_MS)
    const plain = openTable('t', { store, clock, random })
    const { version } = (await plain.snapshot())!
    for (const one of await Promise.all(
      [version, version - 3, version - 6].map((v) => plain.at(Math.max(0, v))),
    ))
      expect([...one.files.keys()].filter((path) => !isThere(path))).toEqual([])
  }
  remote.trouble.staleListMs = 0
  await clock.advance(24 * HOUR_MS)
  await append(table)
  await table.tend(clock.nowMs(), HOUR_MS)
  const { files } = (await table.snapshot())!
  const left = [...store.objects.keys()].filter(
    (key) => key.endsWith('.parquet') && !key.includes('_delta_log'),
  )
  expect(left.length).toBe(files.size)
})

test('who owns the lake is found, although no list shows that it changed hands', async () => {
  const { clock, store } = await world()
  const config = (owner: string) => ({ owner, holder: owner, host: 'web-1' })
  const deps = { clock, random: simRandom(3), lost: () => {}, logLine: () => {} }
  const first = await takeLease(config('a'), { ...deps, store })
  await first.close()
  const before = await lagging(store)
  const second = await takeLease(config('b'), { ...deps, store })
  await clock.advance(300_000)
  expect((await newestEntry(before))?.entry?.owner).toBe('b')
  await expect(takeLease(config('c'), { ...deps, store: before })).rejects.toMatchObject({
    code: 'E_LAKE_OWNED',
  })
  await second.close()
})

test('the newest deployment is found, although no list shows it', async () => {
  const { clock, store } = await world()
  const before = await lagging(store)
  const deployment = (topic: string) => () => {
    return { log: { topic, partitions: 3 }, definitions: { datasets: [host], views: [hostMinute] } }
  }
  for (const topic of ['a', 'b'])
    await changeDeployment(deployment(topic), { store, clock, random: simRandom(4) })
  expect(await newestNumber(before)).toBe(1)
  const next = await changeDeployment(deployment('c'), { store: before, clock, random: simRandom(5) })
  expect(next.number).toBe(2)
})

test('the oldest version that is kept is known, although lists show neither commits nor files', async () => {
  const { clock, store, table } = await world()
  const before = await lagging(store)
  for (let n = 1; n <= 5; n++) {
    await clock.advance(HOUR_MS)
    await append(table)
  }
  const late = openTable('t', { store: before, clock, random: simRandom(9) })
  await expect(late.at(9)).rejects.toMatchObject({
    code: 'E_VERSION_GONE',
    message: expect.stringMatching(/the oldest is 1, .* the newest 5$/),
  })
})

test('a version that is gone is not named as kept, although lists still show its commit and its files', async () => {
  const { clock, store, table, open } = await world()
  for (let n = 1; n <= 100; n++) {
    await clock.advance(HOUR_MS)
    await append(table, { remove: [...(await table.snapshot())!.files.keys()] })
    if (n === 45 || n === 85) await table.tend(clock.nowMs(), 10 * HOUR_MS)
  }
  const before = await lagging(store)
  const gone = await table.at(86)
  await table.tend(clock.nowMs(), 10 * HOUR_MS)
  const [reader, late] = [open(), openTable('t', { store: before, clock, random: simRandom(9) })]
  for (const version of [5, 45, 60, 120]) {
    const error = await reader.at(version).catch((reason: Error) => reason)
    expect(error).toMatchObject({
      code: 'E_VERSION_GONE',
      message: expect.stringContaining('the oldest is 90,'),
    })
    await expect(late.at(version)).rejects.toEqual(error)
  }
  const error = await reader.goneOr(new Error(), gone.version)
  expect(error).toMatchObject({ message: expect.stringContaining('the oldest is 90,') })
  expect(await late.goneOr(new Error(), gone.version)).toEqual(error)
})

test('a backup holds a table that no list shows yet', async () => {
  const { clock, store, table } = await world()
  store.objects.clear()
  const empty = await lagging(store)
  const made = openTable('t', { store, clock, random: simRandom(8) })
  await made.create((await table.snapshot())!.schema, {})
  await append(made)
  const openTo = (name: string) => openTable(name, { store: empty, clock, random: simRandom(9) })
  const { manifest } = await backUp(
    {
      disk: new SimDisk(1, clock),
      dataDir: '/data',
      lake: empty,
      tables: ['t', 'never'],
      openTable: openTo,
    },
    new MemoryStore(clock),
    { time: new Date(clock.nowMs()).toISOString(), signal: new AbortController().signal, tell: () => {} },
  )
  expect(manifest.tables).toEqual({ t: 1 })
  expect(manifest.files.filter(({ path }) => path.endsWith('.parquet'))).toHaveLength(1)
})

test('a backup holds what no list shows, and stays whole when older ones go', async () => {
  const { clock, store, table } = await world()
  const place = new MemoryStore(clock)
  const source = { disk: new SimDisk(1, clock), dataDir: '/data', tables: ['t', 'never'] }
  const back = async (lake: ObjectStore, to: ObjectStore) => {
    await clock.advance(1_000)
    const openTo = (name: string) => openTable(name, { store: lake, clock, random: simRandom(9) })
    const how = { time: new Date(clock.nowMs()).toISOString(), signal: new AbortController().signal }
    return backUp({ ...source, lake, openTable: openTo }, to, { ...how, tell: () => {} })
  }
  await append(table)
  await back(store, place)
  const [lake, late] = [await lagging(store), await lagging(place)]
  // Of what was put lists show some, and not the rest.
  const list: ObjectStore['list'] = (prefix, after) =>
    (prefix === 'objects/' ? place : late).list(prefix, after)
  const to = { ...late, list }
  await append(table)
  for (let n = 1; n <= 30; n++) {
    await clock.advance(HOUR_MS)
    await append(table)
  }
  await table.tend(clock.nowMs(), HOUR_MS)
  await append(table)
  await back(lake, late)
  const { manifest } = await back(lake, to)
  expect(manifest.tables).toEqual({ t: 33 })
  await keepNewest(to, 1, manifest)
  const restored = new MemoryStore(clock)
  await restore(
    place,
    manifest,
    { data: restored, lake: restored },
    { signal: new AbortController().signal, tell: () => {} },
  )
  const reopened = openTable('t', { store: restored, clock, random: simRandom(9) })
  expect(seen(await reopened.snapshot())).toEqual(seen(await table.snapshot()))
})
