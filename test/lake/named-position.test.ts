import { expect, test } from 'vitest'
import { openTable } from '../../lake/delta/table.ts'
import { MemoryStore } from '../../lake/store/memory.ts'
import type { ObjectStore } from '../../lake/store/port.ts'
import { messagesSchema, sealApp } from '../../lake/tables/messages.ts'
import { readNamedPosition } from '../../lake/tables/named-position.ts'
import { ticksTable } from '../../lake/tables/ticks.ts'
import { host } from '../../schemas/datasets/host.ts'
import { serviceMinute } from '../../schemas/views/service-minute.ts'
import { SimClock } from '../sim/clock.ts'
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
