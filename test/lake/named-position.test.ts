import { expect, test } from 'vitest'
import type { Table } from '../../lake/delta/port.ts'
import { openTable } from '../../lake/delta/table.ts'
import { MemoryStore } from '../../lake/store/memory.ts'
import type { ObjectStore } from '../../lake/store/port.ts'
import { logFacts, messagesSchema, sealApp } from '../../lake/tables/messages.ts'
import { namePartitions, readNamedPosition } from '../../lake/tables/named-position.ts'
import { ticksTable } from '../../lake/tables/ticks.ts'
import { closeLostPartitions } from '../../lake/writer/lost-partitions.ts'
import { host } from '../../schemas/datasets/host.ts'
import { serviceMinute } from '../../schemas/views/service-minute.ts'
import { openOn } from '../log/journal/samples.ts'
import { SimClock } from '../sim/clock.ts'
import { SimDisk } from '../sim/disk.ts'
import { simRandom } from '../sim/random.ts'

const clock = new SimClock(0)

function tablesOn(store: ObjectStore) {
  const open = (name: string) => openTable(name, { store, clock, random: simRandom(1) })
  const views = [{ published: open(serviceMinute.name), ticks: open(ticksTable(serviceMinute)) }]
  return { messages: [open('messages')], views }
}

/** A store that begins to hold back what is put. */
class HoldingStore extends MemoryStore {
  holds = false
  readonly held: (() => Promise<boolean>)[] = []

  override putIfAbsent(key: string, bytes: Uint8Array): Promise<boolean> {
    if (!this.holds) return super.putIfAbsent(key, bytes)
    this.held.push(() => super.putIfAbsent(key, bytes))
    return new Promise(() => {})
  }
}

test('a seal that a dead process put and the store has not yet stored lands no more behind a fence', async () => {
  const store = new HoldingStore(clock)
  const dead = tablesOn(store)
  const base = await dead.messages[0]!.create(messagesSchema(host), {})
  store.holds = true
  const txns = { [sealApp(0)]: { version: 4, lastUpdatedMs: 0 } }
  void dead.messages[0]!.commit(base, { operation: 'SEAL', dataChange: true, txns })
  await expect.poll(() => store.held.length).toBe(1)
  store.holds = false

  const tables = tablesOn(store)
  const names = await readNamedPosition(tables)
  expect(await names.fence()).toEqual({})
  expect(await store.held[0]!()).toBe(false)
  expect((await readNamedPosition(tables)).position).toEqual({})
})

test('what landed before the fence is named', async () => {
  const store = new MemoryStore(clock)
  const dead = tablesOn(store)
  const names = await readNamedPosition(tablesOn(store))
  const base = await dead.messages[0]!.create(messagesSchema(host), {})
  await dead.messages[0]!.commit(base, {
    operation: 'SEAL',
    dataChange: true,
    txns: { [sealApp(0)]: { version: 4, lastUpdatedMs: 0 } },
  })
  expect(names.position).toEqual({})
  expect(await names.fence()).toEqual({ 0: 4 })
  expect(names.position).toEqual({ 0: 4 })
})

test('a lake that is empty is not written to', async () => {
  const store = new MemoryStore(clock)
  await (await readNamedPosition(tablesOn(store))).fence()
  expect(await store.list('')).toEqual([])
})

test('a partition of which nothing was sealed is named too, once, and missed when its log is gone', async () => {
  const store = new MemoryStore(clock)
  const { messages } = tablesOn(store)
  const [table] = messages as [Table]
  await table.create(messagesSchema(host), {})
  await namePartitions(table, [0], 7)
  const named = await readNamedPosition(tablesOn(store))
  expect(named.position).toEqual({ 0: -1 })
  const { version } = (await table.snapshot())!
  await namePartitions(tablesOn(store).messages[0]!, [0], 8)
  expect((await table.snapshot())!.version).toBe(version)
  // Another directory takes the lake over: its journal begins behind what is named, and what may be lost is a gap.
  const journal = await openOn(new SimDisk(1), { floor: named.position })
  expect(journal.partitions()).toEqual([1])
  await journal.close()
  const closing = closeLostPartitions((await table.snapshot())!, named.position, [1], 9)!
  await table.commit((await table.snapshot())!, closing)
  expect(logFacts((await table.snapshot())!).gaps).toMatchObject([
    { partition: 0, from: -1, to: 0, fromMs: 7, toMs: 9 },
  ])
})
