import { expect, test } from 'vitest'
import { changeDeployment, newestNumber } from '../../lake/deployment-log.ts'
import { takeLease } from '../../lake/lease.ts'
import { newestEntry } from '../../lake/lease-log.ts'
import { MemoryStore } from '../../lake/store/memory.ts'
import type { ObjectStore, StoredObject } from '../../lake/store/port.ts'
import { host } from '../../schemas/datasets/host.ts'
import { hostMinute } from '../../schemas/views/host-minute.ts'
import { SimClock } from '../sim/clock.ts'
import { simRandom } from '../sim/random.ts'

const START_MS = Date.UTC(2026, 10, 22, 10)

function world() {
  const clock = new SimClock(START_MS)
  return { clock, store: new MemoryStore(clock) }
}

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

test('who owns the lake is found, although no list shows that it changed hands', async () => {
  const { clock, store } = world()
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
  const { clock, store } = world()
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
