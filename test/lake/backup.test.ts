import { expect, test } from 'vitest'
import { backUp, keepNewest } from '../../lake/backup/backup.ts'
import { mayRestoreInto, restore } from '../../lake/backup/restore.ts'
import { openTable } from '../../lake/delta/table.ts'
import { SCRATCH } from '../../lake/scratch.ts'
import { MemoryStore } from '../../lake/store/memory.ts'
import { SET_ASIDE } from '../../lake/tables/made-anew.ts'
import { SimClock } from '../sim/clock.ts'
import { SimDisk } from '../sim/disk.ts'
import { simRandom } from '../sim/random.ts'

const SCHEMA = {
  fields: [{ name: 'x', type: 'string' as const, nullable: true }],
  partitionBy: [],
}

function backupRig() {
  const clock = new SimClock(Date.UTC(2026, 10, 22, 10))
  const lake = new MemoryStore(clock)
  const place = new MemoryStore(clock)
  const open = (store = lake) => openTable('t', { store, clock, random: simRandom(1) })
  async function back() {
    await clock.advance(1_000)
    const time = new Date(clock.nowMs()).toISOString()
    const source = {
      disk: new SimDisk(1, clock),
      dataDir: '/data',
      lake,
      tables: [],
      openTable: () => open(),
    }
    return backUp(source, place, { time, signal: new AbortController().signal, tell: () => {} })
  }
  return { clock, lake, place, open, back }
}

test('what a lake wrote anew under the same names is read again, though it is of the same size', async () => {
  const { clock, lake, place, open, back } = backupRig()
  const base = await open().create(SCHEMA, {})
  const { manifest } = await back()
  const write = (n: number) =>
    open().commit(base, { operation: 'N', dataChange: false, txns: { n: { version: n, lastUpdatedMs: 1 } } })
  await write(111)
  const one = await back()
  expect(one.manifest.tables).toEqual({ t: 1 })
  // The lake is put back to the first backup, and goes on from there.
  for (const key of [...lake.objects.keys()]) await lake.delete(key)
  const target = { data: new MemoryStore(clock), lake }
  const how = { signal: new AbortController().signal, tell: () => {} }
  await restore(place, manifest, target, how)
  await write(222)
  const two = await back()
  const sizes = [one, two].map(({ manifest: { files } }) => files.map(({ path, size }) => [path, size]))
  expect(sizes[0]).toEqual(sizes[1])
  const restored = new MemoryStore(clock)
  await restore(place, two.manifest, { data: restored, lake: restored }, how)
  expect((await open(restored).snapshot())!.txns.get('n')?.version).toBe(222)
})

test('who owns the lake, scratch and damaged logs that were set aside are left out', async () => {
  const { lake, open, back } = backupRig()
  await open().create(SCHEMA, {})
  await lake.put('kept/by-hand.json', new Uint8Array(1))
  for (const folder of ['_lease/', SCRATCH, `${SET_ASIDE}t/2026-11-22T10:00:00.000Z/`])
    await lake.put(`${folder}00000000000000000000.json`, new Uint8Array(1))
  const { manifest } = await back()
  expect(manifest.files.map(({ path }) => path).sort()).toEqual([
    'lake/kept/by-hand.json',
    'lake/t/_delta_log/00000000000000000000.json',
  ])
})

test('what did not change is read once', async () => {
  const { lake, open, back } = backupRig()
  await open().create(SCHEMA, {})
  await back()
  const read: string[] = []
  lake.faults = ({ what, key, when }) => {
    if (what === 'get' && when === 'before') read.push(key)
  }
  const again = await back()
  expect(again.writtenBytes).toBe(0)
  // By the table that looks at itself and for what follows, and by no copy.
  expect(read.filter((key) => key.endsWith('.json'))).toHaveLength(2)
})

test('a lake that was restored in part is restored wholly, and one with anything else is not touched', async () => {
  const { clock, lake, place, open, back } = backupRig()
  const base = await open().create(SCHEMA, {})
  const file = await open().writeFile(new Uint8Array(9), {
    partition: {},
    rows: 1,
    min: {},
    max: {},
    tags: {},
  })
  await open().commit(base, { operation: 'N', add: [file], dataChange: true })
  const { manifest } = await back()
  const into = new MemoryStore(clock)
  expect(await mayRestoreInto(into, manifest)).toBe(true)
  let puts = 0
  into.faults = ({ what, when }) => {
    if (what === 'put' && when === 'before' && ++puts === 2) throw new Error('killed')
  }
  const target = { data: new MemoryStore(clock), lake: into }
  const how = { signal: new AbortController().signal, tell: () => {} }
  await expect(restore(place, manifest, target, how)).rejects.toThrow('killed')
  expect([into.objects.size, await mayRestoreInto(into, manifest)]).toEqual([1, true])
  await restore(place, manifest, target, how)
  expect(new Set(into.objects.keys())).toEqual(new Set(lake.objects.keys()))
  await into.put('_lease/00000000000000000000.json', new Uint8Array(1))
  expect(await mayRestoreInto(into, manifest)).toBe(false)
  await into.delete('_lease/00000000000000000000.json')
  await into.put([...lake.objects.keys()][0]!, new Uint8Array(1))
  expect(await mayRestoreInto(into, manifest)).toBe(false)
})

test('a backup beside one that removes others is none, rather than one that lacks files', async () => {
  const { place, open, back } = backupRig()
  const base = await open().create(SCHEMA, {})
  await back()
  await open().commit(base, { operation: 'N', dataChange: false })
  place.faults = async ({ what, key, when }) => {
    if (what === 'put' && key.startsWith('objects/') && when === 'after') await keepNewest(place, 1)
  }
  await expect(back()).rejects.toMatchObject({ code: 'E_BACKUP' })
  place.faults = null
  expect(await place.list('backups/')).toHaveLength(1)
  expect((await back()).manifest.tables).toEqual({ t: 1 })
})
